"""Quality of the resolver on labelled public sets: pairwise precision, recall, F1 and B-cubed, as JSON."""

import argparse
import csv
import gzip
import json
import resource
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from services.fusion.core import model as models
from services.fusion.core.compare import compare
from services.fusion.core.keys import keys_of
from services.fusion.core.model import Model
from services.fusion.core.normalise import make_profile
from services.fusion.core.profile import Profile
from services.fusion.core.records import read_row
from services.fusion.core.reference import resolve_all
from services.fusion.core.train import train
from shared.contracts.entities import Kind

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


def profiles_of(rows: Iterable[Row], model: Model) -> tuple[dict[str, Profile], dict[str, str]]:
    """Each row's profile and true entity."""
    found, truth = {}, {}
    for row_id, entity, fields in rows:
        features, label = read_row(fields, Kind.PERSON)
        if features:
            found[row_id] = make_profile(Kind.PERSON, "*", label, features, (row_id, False, model))
        truth[row_id] = entity
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
    started = time.perf_counter()
    rows = list(SETS[name](folder))
    model = model.sized(len(rows))
    profiles, truth = profiles_of(rows, model)
    if trained:
        model = train(profiles.values(), model).model
        profiles, truth = profiles_of(rows, model)
    entity = resolve_all(profiles.values(), (), model).entity
    predicted = {i: entity[profiles[i].id] if i in profiles else i for i in truth}
    seconds = time.perf_counter() - started
    return {"set": name, "trained": trained, "rows": len(truth), "seconds": round(seconds, 1)} | {
        k: round(v, 4) for k, v in measure(predicted, truth).items()
    }


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
        "set": "name_pairs_dev", "rows": sum(counts.values()), "precision": round(tp / max(1, tp + fp), 4),
        "recall": round(tp / max(1, tp + fn), 4), "f1": round(2 * tp / max(1, 2 * tp + fp + fn), 4),
        "no_common_key": unreached,
    }  # fmt: skip


def main() -> None:
    """Run the chosen sets and print one JSON object each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("sets", nargs="*", default=[*SETS, "name_pairs_dev"])
    parser.add_argument("--model", type=Path)
    parser.add_argument("--train", action="store_true", help="estimate the weights from each set first")
    chosen = parser.parse_args()
    model = models.load(chosen.model)
    for name in chosen.sets:
        if name == "name_pairs_dev":
            result = name_pairs(chosen.folder, model)
        else:
            result = run(name, chosen.folder, model, trained=chosen.train)
        result["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        json.dump(result, sys.stdout)
        print(flush=True)


if __name__ == "__main__":
    main()
