"""The packaged model keeps its quality on public labelled sets, at its one threshold."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

from tests.fusion.core.people import MODEL

ROOT = Path(__file__).resolve().parents[3]
SETS = ROOT / "tests" / "data" / "er"


@pytest.fixture(scope="module")
def bench() -> ModuleType:
    spec = importlib.util.spec_from_file_location("bench_resolve", ROOT / "bench" / "resolve.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(("name", "f1", "b3"), [("fake_1000", 0.94, 0.95), ("febrl3", 0.99, 0.99)])
def test_persons_are_resolved_as_well_as_before(bench: ModuleType, name: str, f1: float, b3: float) -> None:
    found = bench.run(name, SETS, MODEL, trained=False)
    assert found["f1"] >= f1, found
    assert found["b3"] >= b3, found


def test_names_alone_are_judged_as_people_judge_them(bench: ModuleType) -> None:
    found = bench.name_pairs(SETS, MODEL)
    assert found["f1"] >= 0.85, found
