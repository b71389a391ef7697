"""`orket flips` and `orket compare`: sweeps by name, filters, answers, and what is missing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from builders import report, run, spec, task
from report_summaries import row, summary

from orket_lib import cli
from orket_lib.artifacts.io import write_json, write_model
from orket_lib.artifacts.measurements.spec import TaskSelection
from orket_lib.tasks.bank import task_key
from orket_lib.vocabulary.statuses import Outcome

KNOWN, CHANGED = task(1), task(2, prompt="another one")


@pytest.fixture
def sweep(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A sweep of two quants: the second loses task 1 with an answer that a terminal may run."""
    monkeypatch.chdir(tmp_path)
    results = Path("results/mine")
    rows = []
    for tag, bits, wrong in (("F16", 16.0, ()), ("Q2_K", 3.2, (1,))):
        path = results / "cells" / "orket-nano" / tag / "run.json"
        runs = tuple(
            run(number, outcome=Outcome.FAIL if number in wrong else Outcome.PASS, answer="\x1b[2J")
            for number in (1, 2)
        )
        selected = TaskSelection(
            bank_id="bank", ids=(1, 2), sha256="b" * 64, keys=(task_key(KNOWN), "c" * 64)
        )
        asked = spec(model_id="orket-nano", quant_tag=tag, tasks=selected)
        write_model(path, report(spec=asked, test_runs=runs))
        rows.append(row(tag, bits, 1 - len(wrong) / 2, report_path=path.as_posix()))
    write_model(results / "quant_sweep" / "sweep_summary.json", summary(rows))
    policy: dict[str, Any] = {"bank": "bank.json", "sandbox": [], "tasks": selected.model_dump()}
    write_json(results / "policy" / "tasks.json", policy)
    bank = [it.model_dump(mode="json", exclude_defaults=True) for it in (KNOWN, CHANGED)]
    write_json(Path("bank.json"), bank)
    return results


def flips(capsys: pytest.CaptureFixture[str], *options: str) -> str:
    assert cli.main(["flips", *options]) == 0
    return capsys.readouterr().out


@pytest.mark.usefixtures("sweep")
def test_lost_tasks_are_listed_and_answers_on_request(capsys: pytest.CaptureFixture[str]) -> None:
    short = flips(capsys)
    assert "add-0001  add  lost by Q2_K" in short
    assert "What number is" not in short
    full = flips(capsys, "mine", "--answers")
    assert "prompt:\n    What number is 1 + 0?" in full
    assert "right answer:\n    1\n" in full
    assert r"\x1b[2J" in full
    assert "\x1b" not in full


@pytest.mark.usefixtures("sweep")
def test_json_has_every_answer(capsys: pytest.CaptureFixture[str]) -> None:
    (model,) = json.loads(flips(capsys, "--json", "--quant-tag", "Q2_K"))["models"]
    (lost,) = model["tasks"]
    assert lost["right_answer"] == "1"
    assert [it["right"] for it in lost["answers"]] == [True, False]


@pytest.mark.usefixtures("sweep")
@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--family", "sub"), "--family sub: not there; this sweep has add"),
        (("--quant-tag", "F16"), "--quant-tag F16: not there; this sweep has Q2_K"),
        (("--model-id", "x"), "--model-id x: not there; this sweep has orket-nano"),
        (("min",), "did you mean `mine`?"),
    ],
)
def test_what_is_not_there_is_said_with_what_is(
    capsys: pytest.CaptureFixture[str], options: tuple[str, ...], said: str
) -> None:
    assert cli.main(["flips", *options]) == 1
    assert said in capsys.readouterr().err


def test_without_run_reports_flips_says_so_and_the_page_is_made(
    sweep: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    moved = sweep.rename("moved")  # rows still name the paths of before
    summary_file = str(moved / "quant_sweep" / "sweep_summary.json")
    page = ["report", "--summary", summary_file, "--out-html", "r.html", "--cells"]
    assert cli.main([*page, "moved/cells"]) == 0
    assert "What number is 1 + 0?" in Path("r.html").read_text("utf-8")
    assert cli.main([*page, "gone/cells"]) == 0
    assert "The answers are not in this page" in Path("r.html").read_text("utf-8")
    (moved / "cells").rename("gone")
    assert cli.main(["flips", summary_file]) == 1
    assert "moved/cells: no quant can be compared" in capsys.readouterr().err


def test_two_sweeps_are_named_as_elsewhere_and_compared(
    sweep: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = Path("results/other/quant_sweep/sweep_summary.json")
    rows = [row("F16", 16.0, 1.0), row("Q2_K", 3.2, 0.1)]
    write_model(other, summary(rows))
    assert cli.main(["compare", "mine", "other", "--html", "compared.html"]) == 0
    said = capsys.readouterr().out
    assert "adherence score" in Path("compared.html").read_text("utf-8")
    assert said.startswith("A: mine\nB: other\n")
    assert "adherence_score: 0.500 -> 0.100 (-80.0%)  (orket-nano Q2_K)" in said
    assert cli.main(["compare", "mine", str(sweep), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["changes"] == []
    assert cli.main(["compare", "mine", str(other)]) == 0
