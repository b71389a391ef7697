"""`orket export`: formats by name and by ending, models by name, and where it goes."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from builders import report, run, spec
from report_summaries import failed, row, summary

from orket_lib import cli
from orket_lib.artifacts.io import write_model


@pytest.fixture(autouse=True)
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Go to a folder with a sweep of two models; of the second, nothing was measured."""
    monkeypatch.chdir(tmp_path)
    folder = Path("results/mine")
    path = folder / "cells" / "nano" / "Q8_0" / "run.json"
    write_model(path, report(spec=spec(model_id="nano", quant_tag="Q8_0"), test_runs=(run(1),)))
    measured = row("Q8_0", 8.5, 1.0, model_id="nano", report_path=path.as_posix())
    gone = failed("Q8_0", 8.5).model_copy(
        update={"model_id": "big", "report_path": "cells/big/Q8_0/run.json"}
    )
    write_model(folder / "quant_sweep" / "sweep_summary.json", summary([measured], [gone]))
    return folder


def printed(capsys: pytest.CaptureFixture[str], *options: str) -> str:
    assert cli.main(["export", *options]) == 0
    return capsys.readouterr().out


def test_all_runs_of_all_models_are_printed_as_csv(capsys: pytest.CaptureFixture[str]) -> None:
    lines = printed(capsys).splitlines()
    assert [line.split(",")[1:4] for line in lines[1:] if ",probe," not in line] == [
        ["nano", "Q8_0", "answer"],
        ["big", "Q8_0", "no_run"],
    ]
    assert "big" not in printed(capsys, "mine", "--model-id", "nano")


def test_the_ending_chooses_the_format(capsys: pytest.CaptureFixture[str]) -> None:
    for name, start in (("a.svg", "<svg"), ("a.yaml", "model-index:"), ("a.txt", "sweep,")):
        assert printed(capsys, "--model-id", "nano", "--out", name) == ""
        assert Path(name).read_text("utf-8").startswith(start)
    assert printed(capsys, "--format", "card", "--model-id", "nano").startswith("<svg")
    index = printed(capsys, "mine", "--format", "model-index", "--model-id", "nano")
    assert yaml.safe_load(index)["model-index"][0]["name"] == "nano"


def test_what_is_missing_is_named(
    results: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for options, said in (
        (["--format", "card"], "name one model (--model-id); this sweep has nano, big"),
        (["--model-id", "x"], "--model-id x: not there; this sweep has nano, big"),
    ):
        assert cli.main(["export", *options]) == 1
        assert said in capsys.readouterr().err
    with pytest.raises(SystemExit):
        cli.main(["export", "--format", "parquet"])
    assert "name it with --out FILE" in capsys.readouterr().err
    (results / "cells/nano/Q8_0/run.json").unlink()
    assert cli.main(["export", "--out", "o.csv"]) == 1
    assert "nano/Q8_0/run.json" in capsys.readouterr().err
    assert not Path("o.csv").exists()
