"""`orket summary`: rows that are no rows of the config are refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from builders import metrics, no_canary, row

from orket_lib.artifacts.io import read_model, write_json, write_model
from orket_lib.artifacts.views.summary import Summary
from orket_lib.cli import main
from orket_lib.config.loading.parse import parse
from orket_lib.vocabulary.statuses import Lane


@pytest.fixture(autouse=True)
def sweep(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    config = parse({"sweep": "s", "models": ["nano"], "quants": ["Q8_0"], "execution_lane": "ci"})
    write_json(Path("matrix.json"), config.model_dump(mode="json"))
    write_model(Path("canary.json"), no_canary())


def summarized() -> int:
    return main(
        ["summary", "--matrix", "matrix.json", "--canary", "canary.json", "--out", "s.json"]
    )


def test_a_summary_has_the_lane_that_its_rows_were_judged_in() -> None:
    write_model(Path("nano/Q8_0.json"), row(metrics(), execution_lane=Lane.CI))
    assert summarized() == 0
    assert read_model(Path("s.json"), Summary).execution_lane is Lane.CI


def test_rows_that_were_judged_in_another_lane_are_refused(
    capsys: pytest.CaptureFixture[str],
) -> None:
    write_model(Path("nano/Q8_0.json"), row(metrics(), execution_lane=Lane.LAB))
    assert summarized() == 1
    assert (
        "its rows were judged in lane lab, but matrix.json has lane ci" in capsys.readouterr().err
    )
    assert not Path("s.json").exists()


def test_several_models_are_ranked_together() -> None:
    config = parse({"sweep": "s", "models": ["a", "b"], "quants": ["Q8_0"], "execution_lane": "ci"})
    write_json(Path("matrix.json"), config.model_dump(mode="json"))
    for model in config.models:
        found = row(metrics(model_id=model), execution_lane=Lane.CI)
        write_model(Path(f"{model}/Q8_0.json"), found)
    assert summarized() == 0
    ranking = read_model(Path("s.json"), Summary).ranking
    assert ranking is not None
    assert [cell.name for cell in ranking.cells] == ["a Q8_0", "b Q8_0"]
