"""`orket show`, `open` and `watch`: the result again, and a sweep that runs elsewhere."""

from __future__ import annotations

import os
import sys
import time
import webbrowser
from pathlib import Path

import psutil
import pytest
from report_summaries import seven, summary

from orket_lib import cli
from orket_lib.artifacts.io import write_model
from orket_lib.artifacts.progress import Start, announce


@pytest.fixture
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Go to a folder with the results of two sweeps, of which `new` is the last."""
    monkeypatch.chdir(tmp_path)
    for name, age_s in (("new", 0), ("old", 60)):
        path = Path("results", name, "quant_sweep", "sweep_summary.json")
        write_model(path, summary(seven()))
        os.utime(path, (time.time() - age_s,) * 2)


@pytest.mark.usefixtures("results")
def test_the_last_result_is_shown_unless_one_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["show"]) == 0
    assert "report: results/new/quant_sweep/sweep_report.html" in capsys.readouterr().out
    for name in ("old", "old.yaml", "configs/old.json"):
        assert cli.main(["show", name]) == 0
        printed = capsys.readouterr().out
        assert "report: results/old/quant_sweep/sweep_report.html" in printed
        assert "orket-nano: run Q4_K_M" in printed


@pytest.mark.usefixtures("results")
def test_markdown_has_a_row_for_each_quant(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["show", "--md"]) == 0
    lines = capsys.readouterr().out.splitlines()
    table = [line for line in lines if line.startswith("|")]
    assert len(table) == 2 + 7
    assert {line.count(" | ") for line in table} == {8}


@pytest.mark.usefixtures("results")
@pytest.mark.parametrize("markdown", [(), ("--md",)])
def test_other_wants_are_answered_from_what_was_measured(
    capsys: pytest.CaptureFixture[str], markdown: tuple[str, ...]
) -> None:
    assert cli.main(["show", *markdown, "--want", "decode_tps=2700", "--want", "ram_gib=1"]) == 0
    printed = capsys.readouterr().out.replace("\\_", "_")
    assert "Q4_K_M misses decode_tps by 5% (2561, of 2700)." in printed
    assert printed.endswith("With 2561 tokens/s, Q4_K_M meets the rest.\n")


@pytest.mark.usefixtures("results")
def test_a_name_that_does_not_exist_is_said_with_those_that_do(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert cli.main(["show", "odl"]) == 1
    said = capsys.readouterr().err
    assert "did you mean `old`?" in said
    assert "sweeps with a result: new, old" in said


@pytest.mark.usefixtures("results")
@pytest.mark.parametrize(("screen", "opened"), [(":0", True), ("", False)])
def test_the_report_is_opened_where_there_is_a_screen(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    screen: str,
    opened: bool,
) -> None:
    seen: list[str] = []

    def show(url: str) -> bool:
        seen.append(url)
        return True

    monkeypatch.setattr(webbrowser, "open", show)
    monkeypatch.setattr(sys, "platform", "linux")
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    if screen:
        monkeypatch.setenv("DISPLAY", screen)
    assert cli.main(["open"]) == 1
    assert "sweep_report.html: there is no such file" in capsys.readouterr().err
    page = Path("results/new/quant_sweep/sweep_report.html").absolute()
    page.write_text("<html>")
    assert cli.main(["open"]) == 0
    printed = capsys.readouterr()
    assert printed.out == f"{page}\n"
    assert seen == ([page.as_uri()] if opened else [])
    assert ("no browser" in printed.err) is not opened


def test_without_a_result_or_a_running_sweep_that_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ORKET_PROGRESS", "")  # put back at the end
    assert cli.main(["show"]) == 1
    assert "no sweep in this folder has a result" in capsys.readouterr().err
    own = psutil.Process()
    start = Start(
        sweep="dead",
        pid=own.pid,
        started_s=own.create_time() - 1000,  # an earlier process of this number
        at_s=0,
        measuring={},
        others=0,
        at_most=False,
    )
    announce(Path("logs/dead/progress.jsonl"), start)
    assert cli.main(["watch"]) == 1
    assert "no sweep runs in this folder" in capsys.readouterr().err
