"""A simulation on disk: what agencies would push, and the truth beside."""

import json
from pathlib import Path

from services.simulator.generate import generate
from services.simulator.run import Plan, to_files


def lines(file: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def test_each_agency_has_a_file_of_its_reports_in_order(tmp_path: Path) -> None:
    seen: list[int] = []
    written = to_files(Plan(600, seed=4), tmp_path, seen.append)
    assert written.reports == 600
    assert seen == [500, 600]
    stream = list(generate(600, seed=4, start=Plan(600, seed=4).begins()))
    for agency in {s.agency for s in stream}:
        assert lines(tmp_path / f"{agency}.ndjson") == [s.payload for s in stream if s.agency == agency]
    assert all(file.exists() for file in written.files)


def test_the_truth_has_a_line_for_every_submission_and_scheme(tmp_path: Path) -> None:
    written = to_files(Plan(600, seed=4), tmp_path)
    truth = lines(tmp_path / "truth.jsonl")
    schemes = lines(tmp_path / "schemes.jsonl")
    assert len(truth) == 600
    assert len(schemes) == written.schemes > 5
    assert {True, False} == {s["fires"] for s in schemes}
    known = {t["source_report_no"] for t in truth}
    assert all(set(s["reports"]) <= known for s in schemes)  # type: ignore[call-overload]


def test_writing_again_replaces_what_was_there(tmp_path: Path) -> None:
    to_files(Plan(50, seed=1), tmp_path)
    to_files(Plan(20, seed=1), tmp_path)
    assert len(lines(tmp_path / "truth.jsonl")) == 20
