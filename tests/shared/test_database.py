import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    select,
    text,
)
from sqlalchemy.exc import IntegrityError

from shared.database import (
    Busy,
    Database,
    HexId,
    accumulate,
    advisory_locks,
    delete_rows,
    fetch,
    fetch_first,
    insert_new,
    insert_rows,
    lock_rows,
    migrate,
    open_database,
    outbox_table,
    publish,
    relay,
    strike,
    upsert,
)
from shared.database_outbox import pack, unpack
from shared.errors import Misconfigured, Transient
from shared.log import NewRecord, Position
from tests.databases import fresh_postgres

A, B, C = "0a" * 16, "0b" * 16, "0c" * 16

metadata = MetaData()
thing = Table(
    "database_test_thing",
    metadata,
    Column("id", HexId, primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("label", Text),
    Column("raw", LargeBinary),
    Column("flag", Boolean),
)
noted = Table("database_test_noted", metadata, Column("n", Integer, primary_key=True), Column("doc", JSON))
outbox = outbox_table(metadata, "database_test_outbox")


def row(id_: str, version: int, label: str = "x") -> dict[str, object]:
    return {"id": id_, "version": version, "label": label, "raw": b"\x00\xff", "flag": True}


@pytest.fixture(scope="module")
def postgres_url(postgres: str) -> Iterator[str]:
    with fresh_postgres(postgres, "database") as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def db(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    if request.param == "sqlite":
        database = open_database(f"sqlite:///{tmp_path / 'test.db'}")
    else:
        database = open_database(request.getfixturevalue("postgres_url"))
    metadata.drop_all(database.engine)
    metadata.create_all(database.engine)
    yield database
    metadata.drop_all(database.engine)
    database.close()


def everything(db: Database) -> list[tuple[object, ...]]:
    with db.snapshot() as conn:
        return [
            tuple(r)
            for r in conn.execute(select(thing.c.id, thing.c.version, thing.c.label).order_by(thing.c.id))
        ]


def test_upsert_inserts_then_replaces(db: Database) -> None:
    with db.transaction() as conn:
        upsert(conn, thing, [row(B, 1), row(A, 1)])
        upsert(conn, thing, [row(A, 2, "new"), row(C, 1)])
    assert everything(db) == [(A, 2, "new"), (B, 1, "x"), (C, 1, "x")]


def test_upsert_of_newer_never_goes_back(db: Database) -> None:
    with db.transaction() as conn:
        upsert(conn, thing, [row(A, 5, "five")], newer="version")
        upsert(conn, thing, [row(A, 4, "four"), row(B, 7, "seven"), row(B, 6, "six")], newer="version")
        upsert(conn, thing, [row(B, 8, "eight")], newer="version")
    assert everything(db) == [(A, 5, "five"), (B, 8, "eight")]


def test_upsert_of_no_columns_leaves_what_is_there(db: Database) -> None:
    with db.transaction() as conn:
        upsert(conn, thing, [row(A, 1, "first")])
        upsert(conn, thing, [row(A, 2, "second")], update=())
        upsert(conn, thing, [row(A, 3, "third")], update=("label",))
    assert everything(db) == [(A, 1, "third")]


def test_columns_of_json_are_written(db: Database) -> None:
    with db.transaction() as conn:
        upsert(conn, noted, [{"n": 1, "doc": {"a": [1]}}, {"n": 2, "doc": None}])
        upsert(conn, noted, [{"n": 1, "doc": {"a": [2]}}])
    with db.snapshot() as conn:
        assert conn.execute(select(noted.c.doc).order_by(noted.c.n)).scalars().all() == [{"a": [2]}, None]


def test_insert_new_names_what_was_not_there(db: Database) -> None:
    with db.transaction() as conn:
        assert insert_new(conn, thing, [row(B, 1)], key="id") == {B}
        assert insert_new(conn, thing, [row(A, 2), row(B, 2), row(C, 2)], key="id") == {A, C}
        assert insert_new(conn, thing, [], key="id") == set()
    assert [v for _, v, _ in everything(db)] == [2, 1, 2]


def test_insert_of_an_existing_row_is_refused(db: Database) -> None:
    with pytest.raises(IntegrityError), db.transaction() as conn:
        insert_rows(conn, thing, [row(A, 1), row(A, 2)])
    assert everything(db) == []


def test_fetch_and_delete_take_many_keys_of_which_some_are_missing(db: Database) -> None:
    ids = [f"{n:032x}" for n in range(12_000)]
    with db.transaction() as conn:
        insert_rows(conn, thing, [row(i, 1) for i in ids[::2]])
        assert {r[0] for r in fetch(conn, thing, ["id", "raw"], "id", [*ids, ids[0]])} == set(ids[::2])
        delete_rows(conn, thing, [{"id": i, "version": 1} for i in ids[2:]])
        delete_rows(conn, thing, [{"id": ids[0], "version": 2}])
        delete_rows(conn, thing, [])
    assert everything(db) == [(ids[0], 1, "x")]
    with db.snapshot() as conn:
        assert list(fetch(conn, thing, ["raw", "flag"], "id", ids[:2])) == [(b"\x00\xff", True)]
        assert list(fetch(conn, thing, ["raw"], "id", [])) == []
    with db.transaction() as conn:
        assert list(fetch(conn, thing, ["version"], "id", ids[:2], lock=True)) == [(1,)]


def test_fetch_first_gives_so_many_rows_of_each_key(db: Database) -> None:
    with db.transaction() as conn:
        insert_rows(conn, thing, [row(f"{n:032x}", n, "ab"[n % 2]) for n in range(10)])
        found = list(fetch_first(conn, thing, ["label", "version"], "label", ["b", "a", "c"], ("version", 2)))
        assert sorted(found) == [("a", 0), ("a", 2), ("b", 1), ("b", 3)]
        assert list(fetch_first(conn, thing, ["version"], "label", [], ("version", 2))) == []


def test_advisory_locks_are_held_until_the_transaction_ends(postgres_url: str) -> None:
    db = open_database(postgres_url)
    free = text("SELECT pg_try_advisory_xact_lock(7), pg_try_advisory_xact_lock(8)")
    with db.transaction() as first, db.transaction() as second:
        advisory_locks(first, [9, 7, 7])
        assert tuple(second.execute(free).one()) == (False, True)
    with db.transaction() as third:
        assert tuple(third.execute(free).one()) == (True, True)
    db.close()


def test_an_error_rolls_everything_back(db: Database) -> None:
    def fail() -> None:
        with db.transaction() as conn:
            upsert(conn, thing, [row(A, 1)])
            publish(conn, outbox, "topic", messages(0, 2))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert everything(db) == []
    assert relay(db, FakeLog(), outbox) == 0


def test_a_defect_is_not_taken_for_a_passing_fault(db: Database) -> None:
    with pytest.raises(Exception, match="no_such_table") as caught, db.transaction() as conn:
        conn.exec_driver_sql("SELECT * FROM no_such_table")
    assert not isinstance(caught.value, Transient)


def test_a_locked_row_is_refused_not_waited_for(postgres_url: str) -> None:
    db = open_database(postgres_url)
    metadata.drop_all(db.engine)
    metadata.create_all(db.engine)
    with db.transaction() as conn:
        upsert(conn, thing, [row(A, 1)])

    def lock(ids: list[str]) -> None:
        with db.transaction() as second:
            lock_rows(second, thing.name, "id", ids)

    with db.transaction() as first:
        lock_rows(first, thing.name, "id", [A])
        with pytest.raises(Busy):
            lock([A, B])
    metadata.drop_all(db.engine)
    db.close()


def test_sqlite_locked_by_another_writer_is_transient(tmp_path: Path) -> None:
    path = tmp_path / "busy.db"
    db = open_database(f"sqlite:///{path}")
    metadata.create_all(db.engine)
    with db.engine.connect() as conn:
        conn.exec_driver_sql("PRAGMA busy_timeout=0")
        conn.rollback()
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(Transient), db.transaction():
        pass
    other.execute("ROLLBACK")
    other.close()
    db.close()


def test_a_large_write_ahead_log_is_begun_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "log.db"
    db = open_database(f"sqlite:///{path}")
    metadata.create_all(db.engine)
    wal = path.with_name("log.db-wal")

    def write(version: int) -> int:
        with db.transaction() as conn:
            upsert(conn, thing, [row(A, version)])
        return wal.stat().st_size

    assert write(1) > 0
    monkeypatch.setattr("shared.database._WAL_BYTES", 1)
    with db.snapshot() as reader:
        assert reader.execute(select(thing.c.version)).scalar_one() == 1
        assert write(2) > 0  # somebody reads it
    assert write(3) == 0
    assert [v for _, v, _ in everything(db)] == [3]
    db.close()


def test_a_server_that_is_away_is_transient() -> None:
    db = open_database("postgresql+psycopg://nobody@127.0.0.1:9/none")
    with pytest.raises(Transient):
        db.ping()
    db.close()


def test_other_databases_are_refused_with_advice() -> None:
    with pytest.raises(Misconfigured, match="sqlite:///"):
        open_database("mysql://x/y")


class FakeLog:
    """Remembers what is appended; ``down`` refuses the next append."""

    def __init__(self) -> None:
        self.records: list[tuple[str, NewRecord]] = []
        self.down = False

    def append(self, topic: str, records: list[NewRecord]) -> list[Position]:
        if self.down:
            raise Transient("the log is away")
        self.records += [(topic, r) for r in records]
        return []


def test_accumulate_adds_to_what_is_there_and_tells_before_and_after(db: Database) -> None:
    with db.transaction() as conn:
        assert accumulate(conn, thing, [row(B, 2), row(A, 1)], key="id", column="version") == {
            A: (0, 1),
            B: (0, 2),
        }
        rows = [row(C, 5, "new"), row(A, -1, "other")]
        assert accumulate(conn, thing, rows, key="id", column="version") == {A: (1, 0), C: (0, 5)}
    assert everything(db) == [(A, 0, "x"), (B, 2, "x"), (C, 5, "new")]


def messages(first: int, count: int) -> list[NewRecord]:
    return [NewRecord(str(n), b"%d" % n, {"traceparent": "t"}) for n in range(first, first + count)]


def test_relay_sends_in_order_and_only_once(db: Database) -> None:
    log = FakeLog()
    for batch in range(40):
        with db.transaction() as conn:
            publish(conn, outbox, "topic", messages(batch * 3, 3), owner="me")
    with db.transaction() as conn:
        publish(conn, outbox, "topic", messages(900, 1), owner="other")
    assert relay(db, log, outbox, owner="me") == 120
    assert [int(r.key) for _, r in log.records] == list(range(120))
    assert relay(db, log, outbox, owner="me") == 0
    assert relay(db, log, outbox) == 1


def test_what_was_sent_may_be_struck_with_what_comes_next(db: Database) -> None:
    log, sent = FakeLog(), set[int]()
    for batch in range(18):
        with db.transaction() as conn:
            publish(conn, outbox, "topic", messages(batch, 1), owner="me")
    assert relay(db, log, outbox, owner="me", sent=sent) == 18
    assert len(sent) == 2
    with db.transaction() as conn:
        publish(conn, outbox, "topic", messages(18, 1), owner="me")
    assert relay(db, log, outbox, owner="me", sent=sent) == 1
    with db.transaction() as conn:
        strike(conn, outbox, sent)
        publish(conn, outbox, "topic", messages(19, 1), owner="me")
    sent.clear()
    assert relay(db, log, outbox, owner="me", sent=sent) == 1
    assert [int(r.key) for _, r in log.records] == list(range(20))
    assert relay(db, log, outbox, owner="me", sent=sent) == 0
    assert not sent
    with db.transaction() as conn:
        assert conn.execute(select(outbox.c.id)).all() == []
        publish(conn, outbox, "topic", messages(20, 1), owner="me")
        assert conn.execute(select(outbox.c.id)).scalar_one() > 20  # no number comes twice


def test_what_the_log_refused_is_sent_next_time(db: Database) -> None:
    log = FakeLog()
    with db.transaction() as conn:
        publish(conn, outbox, "topic", messages(0, 2))
    log.down = True
    with pytest.raises(Transient):
        relay(db, log, outbox)
    log.down = False
    assert relay(db, log, outbox) == 2


def test_packing_keeps_tombstones_bytes_and_headers() -> None:
    records = [NewRecord("a", b"\n\x00[", {"h": "ü"}), NewRecord("b", None), NewRecord("c", b"")]
    assert unpack(pack(records)) == records


ENV = """
from alembic import context
context.configure(connection=context.config.attributes["connection"])
context.run_migrations()
"""
REVISION = """
from alembic import op
import sqlalchemy as sa
revision = "0001"
down_revision = None
def upgrade():
    op.create_table("database_test_migrated", sa.Column("n", sa.Integer, primary_key=True))
"""


def test_several_processes_may_migrate_at_once(db: Database, tmp_path: Path) -> None:
    home = tmp_path / "migrations"
    (home / "versions").mkdir(parents=True)
    (home / "env.py").write_text(ENV)
    (home / "script.py.mako").write_text("")
    (home / "versions" / "0001_first.py").write_text(REVISION)
    with db.transaction() as conn:
        conn.exec_driver_sql("DROP TABLE IF EXISTS database_test_migrated")
        conn.exec_driver_sql("DROP TABLE IF EXISTS alembic_version")
    with ThreadPoolExecutor(3) as pool:
        for done in [pool.submit(migrate, db, home) for _ in range(3)]:
            done.result()
    with db.transaction() as conn:
        conn.exec_driver_sql("INSERT INTO database_test_migrated VALUES (1)")
        conn.exec_driver_sql("DROP TABLE database_test_migrated")
        conn.exec_driver_sql("DROP TABLE alembic_version")


@given(
    st.lists(
        st.tuples(
            st.none() | st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",))),
            st.none() | st.binary(max_size=20),
            st.none() | st.booleans(),
            st.integers(-(2**63), 2**63 - 1),
        ),
        max_size=5,
    )
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
def test_any_value_comes_back_as_it_was(db: Database, values: list[tuple[object, ...]]) -> None:
    names = ("label", "raw", "flag", "version")
    rows = [{"id": f"{n:032x}"} | dict(zip(names, v, strict=True)) for n, v in enumerate(values)]
    with db.transaction() as conn:
        conn.execute(thing.delete())
        insert_rows(conn, thing, rows)
        found = {r[0]: r[1:] for r in fetch(conn, thing, ["id", *names], "id", [r["id"] for r in rows])}
    assert found == {r["id"]: v for r, v in zip(rows, values, strict=True)}
