"""A row's run reports are read only as long as they are what the row quotes (T22)."""

from __future__ import annotations

from pathlib import Path

import pytest
from builders import NOW, metrics, report, run

from orket_lib.artifacts.io import write_model
from orket_lib.artifacts.views.receipt import TakenPart
from orket_lib.artifacts.views.row import RowMetrics
from orket_lib.commands._reports import report_files, reports_of
from orket_lib.vocabulary.errors import ArtifactError


def part(sha256: str) -> TakenPart:
    return TakenPart(kind="answers", path="answers.json", sha256=sha256, measured_at=NOW)


@pytest.fixture
def row(tmp_path: Path) -> RowMetrics:
    path = tmp_path / "run.json"
    write_model(path, report(test_runs=(run(1), run(2)), parts=(part("a" * 64),)))
    return metrics(report_path=path.as_posix(), parts=(part("a" * 64),), adherence_score=1.0)


def test_the_reports_that_a_row_quotes_are_read(row: RowMetrics) -> None:
    (found,) = reports_of(row)
    assert [item.test_id for item in found.test_runs] == ["add-0001", "add-0002"]


def test_t22_a_report_of_other_measurements_is_refused(row: RowMetrics) -> None:
    other = row.model_copy(update={"parts": (part("b" * 64),)})
    with pytest.raises(ArtifactError, match="has other measurements than this summary"):
        reports_of(other)


def test_a_report_with_other_grades_is_refused(row: RowMetrics) -> None:
    with pytest.raises(ArtifactError, match="have changed since this summary"):
        reports_of(row.model_copy(update={"adherence_score": 0.5}))


@pytest.mark.parametrize(
    "tail", ["cells/F16/run.json", "m/F16/batch-2/run.json", "m/Q8_0/run.json"]
)
def test_reports_are_found_in_another_folder_of_cells(tail: str) -> None:
    row = metrics(report_path=f"results/old/cells/{tail}")
    assert report_files(row, Path("moved/cells")) == [Path("moved/cells", tail)]
