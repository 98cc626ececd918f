"""The rules of the house, as code: who may import whom, where I/O and SQL live, and how large things get."""

import ast
import importlib.metadata
import re
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = sorted(p for top in ("shared", "services") for p in (ROOT / top).rglob("*.py"))
ALL = [*SOURCES, *sorted(p for top in ("tests", "bench") for p in (ROOT / top).rglob("*.py"))]
LONGEST_FILE, LONGEST_FUNCTION = 400, 50

PURE = (
    "shared/contracts/", "shared/normalise/", "shared/partition.py",
    "services/fusion/core/", "services/leads/rules/", "services/leads/view.py",
)  # fmt: skip
"""What computes without any input or output, so that the picture is a function of the evidence."""
IO_MODULES = frozenset({
    "aiohttp", "asyncio", "httpx", "io", "kafka", "multiprocessing", "os", "psycopg", "random", "requests",
    "secrets", "select", "shutil", "signal", "socket", "sqlalchemy", "sqlite3", "ssl", "subprocess",
    "tempfile", "threading", "time", "urllib.request", "uvicorn",
})  # fmt: skip
BROUGHT = frozenset({"anyio", "click", "cryptography", "pydantic-core", "starlette"})
"""Parts of a declared dependency's own interface: FastAPI's, typer's, PyJWT's, pydantic's."""
FRONT_DOORS = frozenset({
    ("command", "services.simulator.run"), ("command", "services.simulator.push"),
    ("command", "services.simulator.files"),
    ("command", "services.fusion.backload"), ("command", "services.fusion.backload_report"),
    ("command", "services.fusion.training"),
})  # fmt: skip
"""What the command line may import of what it commands; everything else it reaches over HTTP."""
CLOCKS = frozenset({"now", "utcnow", "today", "uuid1", "uuid4"})


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(), filename=name_of(path))


@cache
def imports_of(path: Path) -> tuple[str, ...]:
    """Full names of everything that a file imports, wherever in the file."""
    return tuple(_imports(path))


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name_of(path)}: relative import"
            yield str(node.module)
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def inside(imported: str, package: str) -> bool:
    return imported == package or imported.startswith(package + ".")


def is_sql_home(path: Path) -> bool:
    name = path.name
    at_home = name in {"store.py", "tables.py"} or name.endswith(("_store.py", "_tables.py"))
    shared = name_of(path).startswith(("shared/database", "shared/log_sqlite"))
    return at_home or shared or "migrations" in path.parts


each_source = pytest.mark.parametrize("path", SOURCES, ids=name_of)
each_file = pytest.mark.parametrize("path", ALL, ids=name_of)


@each_source
def test_imports_go_one_way(path: Path) -> None:
    name = name_of(path)
    for imported in imports_of(path):
        if name.startswith("shared/"):
            assert not inside(imported, "services"), f"shared imports a service: {imported}"
        if name.startswith("shared/contracts/"):
            stays = (
                not inside(imported, "shared") or inside(imported, "shared.contracts") or imported == "shared"
            )
            assert stays, f"contracts import {imported}"


@each_source
def test_no_service_imports_another(path: Path) -> None:
    parts = path.relative_to(ROOT).parts
    if parts[0] != "services" or len(parts) < 3:
        return
    for imported in imports_of(path):
        if not imported.startswith("services."):
            continue
        own = inside(imported, f"services.{parts[1]}")
        front = any(parts[1] == who and inside(imported, door) for who, door in FRONT_DOORS)
        assert own or front, f"{name_of(path)} imports {imported}"


def test_the_command_enters_services_by_their_front_doors() -> None:
    for imported in imports_of(ROOT / "services/__main__.py"):
        if imported.startswith("services.") and not inside(imported, "services.command"):
            assert imported.split(".")[2] in {"serve", "__main__"}, imported


@each_source
def test_pure_packages_do_no_input_or_output(path: Path) -> None:
    name = name_of(path)
    if not name.startswith(PURE):
        return
    for imported in imports_of(path):
        assert not any(inside(imported, module) for module in IO_MODULES), f"{name} imports {imported}"
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Call):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            assert called not in CLOCKS, f"{name}:{node.lineno} reads a clock or makes an id: {called}"
            assert called != "open", f"{name}:{node.lineno} opens a file"


@each_source
def test_sql_stays_in_the_stores(path: Path) -> None:
    if is_sql_home(path):
        return
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            words = node.value.split()
            start = [w.upper() for w in words[:2]] if words and words[0].isupper() else []
            is_sql = start[:1] in (["SELECT"], ["DELETE"]) or start in (
                ["INSERT", "INTO"],
                ["CREATE", "TABLE"],
            )
            assert not is_sql, f"{name_of(path)}:{node.lineno} writes SQL"
    for imported in imports_of(path):
        leaf = imported.rsplit(".", 1)[-1]
        statement = inside(imported, "sqlalchemy") and leaf in {
            "select",
            "insert",
            "update",
            "delete",
            "text",
        }
        assert not statement, f"{name_of(path)} builds SQL: {imported}"


@each_source
def test_only_the_kafka_adapter_imports_kafka(path: Path) -> None:
    if name_of(path) != "shared/log_kafka.py":
        assert not any(inside(imported, "kafka") for imported in imports_of(path))


def test_everything_imported_is_declared_and_locked() -> None:
    """What one of us installs by hand works here and nowhere else."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    declared = {re.split(r"[\[<>=;, ]", d)[0].lower().replace("_", "-") for d in project["dependencies"]}
    locked = set(re.findall(r"(?m)^([a-z0-9-]+)==", (ROOT / "requirements.lock").read_text()))
    provided = importlib.metadata.packages_distributions()
    assert declared <= locked, f"not in requirements.lock (make lock): {sorted(declared - locked)}"
    for path in SOURCES:
        for imported in imports_of(path):
            top = imported.partition(".")[0]
            if top in sys.stdlib_module_names or top in {"shared", "services"}:
                continue
            names = {name.lower().replace("_", "-") for name in provided.get(top, ())}
            known = names & (declared | BROUGHT)
            assert known, f"{name_of(path)} imports {imported}: add it to pyproject.toml, then make lock"


@each_source
def test_every_module_says_what_it_is(path: Path) -> None:
    if path.name == "__init__.py" and not path.read_text().strip():
        return
    assert ast.get_docstring(tree_of(path)), f"{name_of(path)} has no docstring"


@each_file
def test_files_and_functions_stay_short(path: Path) -> None:
    lines = len(path.read_text().splitlines())
    assert lines <= LONGEST_FILE, f"{name_of(path)}: {lines} lines"
    for node in ast.walk(tree_of(path)):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        length = (node.end_lineno or node.lineno) - node.lineno + 1
        assert length <= LONGEST_FUNCTION, f"{name_of(path)}:{node.lineno} {node.name}: {length} lines"


@each_source
def test_nothing_is_left_unfinished(path: Path) -> None:
    words = ("TO" + "DO", "FIX" + "ME", "NotImplemented" + "Error")
    assert not [w for w in words if w in path.read_text()], f"{name_of(path)} is unfinished"


@each_source
def test_importing_reads_no_environment(path: Path) -> None:
    """Settings are read once, in ``main``; a look at the environment at import would freeze them."""
    for node in tree_of(path).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.If):
            continue
        reads = {"environ", "getenv"} & {n.attr for n in ast.walk(node) if isinstance(n, ast.Attribute)}
        assert not reads, f"{name_of(path)}:{node.lineno} reads the environment at import"
