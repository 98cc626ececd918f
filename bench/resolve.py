"""Quality of the resolver: `python bench/resolve.py [SET …] [--data FOLDER] [--out FILE]`.

Resolves each labelled set with the packaged model, with one trained on the set without its labels, and,
where `pip install -e '.[bench]'` was done, with Splink on DuckDB, each in a process of its own. Measures
pairwise precision, recall and F1 and B-cubed over all true pairs, seconds, CPU seconds and peak memory.
Prints a table, writes JSON. The threshold of the packaged model is the same for all sets; that of Splink is
reported twice: fixed, and the best for the set, which only the labels can tell.
"""

import argparse
import csv
import gzip
import importlib.util
import json
import math
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import orjson

sys.path.insert(0, str(Path(__file__).resolve().parent / "beside"))
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.environment import machine, peak_mb
from services.fusion.core import model as models
from services.fusion.core.compare import compare
from services.fusion.core.counting import counted
from services.fusion.core.keys import keys_of
from services.fusion.core.model import Model
from services.fusion.core.normalise import make_profile
from services.fusion.core.profile import Profile
from services.fusion.core.records import read_row
from services.fusion.core.reference import resolve_all
from services.fusion.core.train import train
from services.fusion.resolver import CoreResolver
from services.ingest.feeds import FEEDS
from services.simulator.generate import generate
from shared.contracts.entities import Kind
from shared.contracts.handling import OPEN
from shared.partition import Pair, partition

Row = tuple[str, str, dict[str, Any]]
"""Id, true entity, fields."""


def _csv(path: Path) -> Iterator[dict[str, str]]:
    raw = path.read_bytes()
    text = (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode()
    yield from csv.DictReader(text.splitlines(), skipinitialspace=True)


def febrl3(folder: Path) -> Iterator[Row]:
    """5,000 synthetic Australians, up to five duplicates each."""
    for r in _csv(folder / "febrl3.csv"):
        street = " ".join(x for x in (r["street_number"], r["address_1"]) if x)
        yield r["rec_id"], r["rec_id"].split("-")[1], {
            "given": r["given_name"], "family": r["surname"], "birth_dates": [r["date_of_birth"]],
            "street": street, "unit": r["address_2"], "city": r["suburb"], "state": r["state"],
            "postcode": r["postcode"], "identifiers": [{"type": "NATIONAL_ID", "value": r["soc_sec_id"]}],
        }  # fmt: skip


def historical(folder: Path) -> Iterator[Row]:
    """Persons of the past with many corrupted copies of each."""
    for r in _csv(folder / "historical_dev.csv.gz"):
        yield r["unique_id"], r["cluster"], {
            "names": [r["full_name"]], "given": r["first_name"], "family": r["surname"],
            "birth_dates": [r["dob"]],
            "birth_places": [r["birth_place"]], "postcode": r["postcode_fake"], "sex": r["gender"],
            "occupations": [r["occupation"]],
        }  # fmt: skip


def fake_1000(folder: Path) -> Iterator[Row]:
    """1,000 invented records with errors and gaps."""
    for r in _csv(folder / "fake_1000.csv"):
        yield r["unique_id"], r["cluster"], {
            "given": r["first_name"], "family": r["surname"], "birth_dates": [r["dob"]], "city": r["city"],
            "emails": [r["email"]],
        }  # fmt: skip


SETS: dict[str, Callable[[Path], Iterator[Row]]] = {
    "febrl3": febrl3,
    "historical_dev": historical,
    "fake_1000": fake_1000,
}
FILES = {"febrl3": "febrl3.csv", "historical_dev": "historical_dev.csv.gz", "fake_1000": "fake_1000.csv"}
SIMULATED = "simulator"
NAMES = "name_pairs_dev"
REPORTS = 6_000
"""Simulated reports whose persons and organisations are resolved, seed 1."""
METHODS = ("packaged", "trained", "splink")


def profiles_of(rows: Iterable[Row], model: Model) -> tuple[dict[str, Profile], dict[str, str]]:
    """Each row's profile and true entity."""
    found, truth = {}, {}
    for row_id, entity, fields in rows:
        features, label = read_row(fields, Kind.PERSON)
        if features:
            found[row_id] = make_profile(Kind.PERSON, "*", label, features, (row_id, False, model))
        truth[row_id] = entity
    return found, truth


def simulated(model: Model) -> tuple[dict[str, Profile], dict[str, str]]:
    """The persons and organisations of simulated reports, as one viewer of all would see them."""
    now = datetime(2026, 6, 1, tzinfo=UTC)
    resolver = CoreResolver(model)
    found, truth = {}, {}
    for made in generate(REPORTS, 1):
        if not made.truth.mentions:
            continue
        feed = FEEDS[made.feed]
        report = feed.to_report(feed.parse(orjson.dumps(made.payload)), now)
        for mention in resolver.normalise(report, OPEN).mentions:
            entity = made.truth.mentions.get(mention.local_id)
            if entity and mention.profile and mention.kind in {Kind.PERSON, Kind.ORGANIZATION}:
                name = f"{report.report_id} {mention.local_id}"
                found[name], truth[name] = mention.profile, entity
    return found, truth


def measure(predicted: dict[str, str], truth: dict[str, str]) -> dict[str, float]:
    """Pairwise precision, recall and F1, and B-cubed, over all rows."""
    both = Counter((predicted[i], truth[i]) for i in truth)
    ours, theirs = Counter(predicted.values()), Counter(truth.values())
    pairs = lambda counts: sum(n * (n - 1) // 2 for n in counts.values())  # noqa: E731  # a formula, thrice
    right = pairs(both)
    p, r = right / max(1, pairs(ours)), right / max(1, pairs(theirs))
    bp = sum(n * n / ours[a] for (a, _), n in both.items()) / len(truth)
    br = sum(n * n / theirs[b] for (_, b), n in both.items()) / len(truth)
    f = lambda x, y: 2 * x * y / (x + y) if x + y else 0.0  # noqa: E731  # the same
    return {"precision": p, "recall": r, "f1": f(p, r), "b3_precision": bp, "b3_recall": br, "b3": f(bp, br)}


def run(name: str, folder: Path, model: Model, *, trained: bool) -> dict[str, Any]:
    """Resolve one set and measure it; ``trained``: the weights are first estimated from it, unlabelled."""
    if name == SIMULATED:
        rows, model = None, model.sized(REPORTS)
    else:
        rows = list(SETS[name](folder))
        model = model.sized(len(rows))
    started = time.perf_counter()
    profiles, truth = _read(rows, model)
    if trained:
        model = train(profiles.values(), model).model
        profiles, truth = _read(rows, model)
    elif rows is not None:
        model = counted(profiles.values(), model)
        profiles, truth = _read(rows, model)
    entity = resolve_all(profiles.values(), (), model).entity
    predicted = {i: entity[profiles[i].id] if i in profiles else i for i in truth}
    seconds = time.perf_counter() - started
    kind = next((p.kind for p in profiles.values()), Kind.PERSON)
    return {
        "rows": len(truth),
        "threshold": model.needed(kind) / 100,
        "seconds": round(seconds, 1),
    } | measure(predicted, truth)


def _read(rows: list[Row] | None, model: Model) -> tuple[dict[str, Profile], dict[str, str]]:
    """Profiles and truth of a set; of the simulator, where there are no rows."""
    return simulated(model) if rows is None else profiles_of(rows, model)


def name_pairs(folder: Path, model: Model) -> dict[str, Any]:
    """Pairs of names judged by people: same or not, at the fixed threshold."""
    kinds = {"Person": Kind.PERSON, "Vessel": Kind.VESSEL}
    counts: Counter[tuple[bool, bool]] = Counter()
    unreached = 0
    rows = list(_csv(folder / "name_pairs_dev.csv"))
    model = model.sized(2 * len(rows))
    for r in rows:
        kind = kinds.get(r["schema"], Kind.ORGANIZATION)
        a, b = (
            make_profile(kind, "*", n, read_row({"names": [n]}, kind)[0], (str(i), False, model))
            for i, n in enumerate((r["name1"], r["name2"]))
        )
        met = not set(keys_of(a, model)).isdisjoint(keys_of(b, model)) or a.id == b.id
        same = compare(a, b, model).weight >= model.threshold
        unreached += same and not met
        counts[same and met, r["is_match"] == "true"] += 1
    tp, fp, fn = counts[True, True], counts[True, False], counts[False, True]
    return {
        "rows": sum(counts.values()), "threshold": model.threshold / 100, "precision": tp / max(1, tp + fp),
        "recall": tp / max(1, tp + fn), "f1": 2 * tp / max(1, 2 * tp + fp + fn), "no_common_key": unreached,
    }  # fmt: skip


def splink(name: str, folder: Path) -> dict[str, Any]:
    """The same set by Splink: at its tutorials' threshold, and (``best``) at the best for this set."""
    import splink_runs  # noqa: PLC0415  # an extra

    truth = {row_id: entity for row_id, entity, _ in SETS[name](folder)}
    rows = list(_csv(folder / FILES[name]))
    started = time.perf_counter()
    pairs = splink_runs.scored(name, rows)
    at = lambda threshold: measure(_clusters(truth, pairs, threshold), truth)  # noqa: E731  # for each threshold
    fixed = math.log2(splink_runs.FIXED / (1 - splink_runs.FIXED))
    found = {"rows": len(truth), "threshold": fixed} | at(fixed)
    found["seconds"] = round(time.perf_counter() - started, 1)
    best, threshold = max(((at(t), t) for t in splink_runs.THRESHOLDS), key=lambda b: b[0]["f1"])
    return found | {"best": best | {"threshold": threshold}}


def _clusters(
    ids: Iterable[str], pairs: Iterable[tuple[str, str, float]], threshold: float
) -> dict[str, str]:
    """Connected components at a threshold in bits."""
    kept = (Pair(min(a, b), max(a, b), round(100 * w)) for a, b, w in pairs)
    return partition(dict.fromkeys(ids, 0), kept, (), round(100 * threshold)).entity


def one(name: str, method: str, folder: Path, model_file: Path | None) -> dict[str, Any]:
    """One set by one method, with what the process used."""
    if method == "splink":
        found = splink(name, folder)
    elif name == NAMES:
        found = name_pairs(folder, models.load(model_file))
    else:
        found = run(name, folder, models.load(model_file), trained=method == "trained")
    cost = {"cpu_seconds": time.process_time(), "peak_mb": peak_mb()}
    return {"set": name, "method": method} | _rounded(found | cost)


def _rounded(values: dict[str, Any]) -> dict[str, Any]:
    return {
        k: _rounded(v) if isinstance(v, dict) else round(v, 4) if isinstance(v, float) else v
        for k, v in values.items()
    }


def plan(sets: Iterable[str]) -> Iterator[tuple[str, str]]:
    """What is run: set and method."""
    has_splink = importlib.util.find_spec("splink") is not None
    for name in sets:
        for method in METHODS:
            if method == "splink" and not (has_splink and name in FILES):
                continue
            if name != NAMES or method == "packaged":
                yield name, method


def as_line(found: dict[str, Any]) -> str:
    """A row of the table."""
    cells = [found["set"], found["method"], f"{found['rows']:,}", f"{found['threshold']:.1f}"]
    cells += [f"{found[k]:.4f}" if k in found else "" for k in ("precision", "recall", "f1", "b3")]
    cells += [f"{found[k]:,.0f}" if k in found else "" for k in ("seconds", "cpu_seconds", "peak_mb")]
    return f"| {' | '.join(cells)} |"


HEAD = """| set | method | rows | threshold | precision | recall | F1 | B³ | s | CPU s | MB |
|---|---|---|---|---|---|---|---|---|---|---|"""


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "none"


def main() -> None:
    """Run the chosen sets, print a table, write JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("sets", nargs="*", default=[*SETS, SIMULATED, NAMES], metavar="SET")
    parser.add_argument("--data", type=Path, default=Path("tests/data/er"))
    parser.add_argument("--model", type=Path, help="a model file instead of the packaged one")
    parser.add_argument("--out", type=Path, default=Path("bench/results/resolve.json"))
    parser.add_argument("--one", choices=METHODS, help="only this method of one set, here, as JSON")
    chosen = parser.parse_args()
    if chosen.one:
        print(json.dumps(one(chosen.sets[0], chosen.one, chosen.data, chosen.model)))
        return
    results = []
    print(HEAD)
    for name, method in plan(chosen.sets):
        command = [sys.executable, __file__, name, "--one", method, "--data", str(chosen.data)]
        command += ["--model", str(chosen.model)] if chosen.model else []
        child = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True)
        found = json.loads(child.stdout.splitlines()[-1])
        results.append(found)
        print(as_line(found), flush=True)
        if "best" in found:
            print(as_line(found | found["best"] | {"method": "splink, best"}), flush=True)
    environment = machine() | {
        "splink": _version("splink"), "duckdb": _version("duckdb"),
        "model": models.load(chosen.model).version,
        "at": datetime.now(UTC).isoformat(timespec="minutes"),
    }  # fmt: skip
    chosen.out.parent.mkdir(parents=True, exist_ok=True)
    chosen.out.write_text(json.dumps({"environment": environment, "results": results}, indent=1) + "\n")


if __name__ == "__main__":
    main()
