"""What a running sweep looks like, with and without a terminal."""

from __future__ import annotations

import io
import os
import re
import sys
from pathlib import Path

import pytest
from rich.console import Console

from orket_lib.artifacts.progress import Due, Event, Start, add, announce
from orket_lib.commands._screen import Screen

LONG = "x" * 120


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ORKET_PROGRESS", "")  # put back at the end
    return tmp_path / "progress.jsonl"


def begin(path: Path, cells: int) -> None:
    due = {str(it): Due(kind="cell", title=f"nano Q{it}", seconds=60) for it in range(cells)}
    announce(
        path,
        Start(sweep="mine", pid=1, started_s=0, at_s=0, measuring=due, others=0, at_most=False),
    )


def shown(path: Path, terminal: bool) -> str:
    """Return what is printed about a file that has ended."""
    out = io.StringIO()
    console = Console(
        file=out, width=80, height=24, force_terminal=terminal, color_system=None, _environ={}
    )
    screen = Screen(lambda: path, "Ctrl-C stops", console)
    screen.begin()
    screen.end()
    return out.getvalue()


def test_without_a_terminal_each_cell_is_a_line_that_is_not_wrapped(path: Path) -> None:
    begin(path, 2)
    for job in ("0", "1"):
        add(Event(kind="started", job=job))
        add(Event(kind="result", text=f"nano Q{job}: score 0.9, {LONG}"))
        add(Event(kind="finished", job=job))
    first, *others = shown(path, terminal=False).splitlines()
    assert first == "sweep mine: 2 measurements, about 2 min left"
    assert [line.split("  [")[0] for line in others] == [
        f"nano Q0: score 0.9, {LONG}",
        f"nano Q1: score 0.9, {LONG}",
    ]
    assert "[2 of 2 measured, " in others[1]


def test_a_sweep_of_many_cells_prints_few_lines_without_a_terminal(path: Path) -> None:
    begin(path, 200)
    for job in map(str, range(200)):
        add(Event(kind="started", job=job))
        add(Event(kind="plan", title=job, total=1))
        add(Event(kind="say", title=job, text="warming up"))
        add(Event(kind="step"))
        add(Event(kind="result", text=f"nano Q{job}: score 0.9"))
        add(Event(kind="finished", job=job))
    lines = shown(path, terminal=False).splitlines()
    assert 5 < len(lines) <= 13


def test_a_wait_is_said_once_with_for_whom(path: Path) -> None:
    begin(path, 1)
    add(Event(kind="started", job="0"))
    for minutes in (0, 10, 20):
        text = f"waiting for the cpu: process 7 (measuring a Q4), since 10:00, {minutes} min ago"
        add(Event(kind="say", title="nano Q0", text=text))
    lines = shown(path, terminal=False).splitlines()
    assert [line for line in lines if "waiting" in line] == [
        "nano Q0: waiting for the cpu: process 7 (measuring a Q4), since 10:00, 0 min ago"
    ]


def test_a_terminal_has_the_cell_its_step_and_the_hint_within_80_columns(path: Path) -> None:
    begin(path, 2)
    add(Event(kind="started", job="0"))
    add(Event(kind="plan", title=f"nano {LONG}", total=123, done=47))
    text = shown(path, terminal=True)
    assert "0 of 2 measured, about 2 min left" in text
    assert "Ctrl-C stops" in text
    assert "47 of 123" in text
    assert max(map(len, re.sub(r"\x1b\[[^a-zA-Z]*[a-zA-Z]|\r", "", text).split("\n"))) <= 80


def test_text_of_models_moves_no_cursor(path: Path) -> None:
    begin(path, 1)
    add(Event(kind="tell", text="evil \x1b[2J"))
    assert "evil \\x1b[2J" in shown(path, terminal=False)
    assert "evil \\x1b[2J" in shown(path, terminal=True)


def test_a_failure_is_a_box_on_a_terminal_and_lines_elsewhere(path: Path) -> None:
    failed = [Event(kind="failed", title="pass_canary", text="error: canary failed:\n  type this")]
    for terminal in (True, False):
        out = io.StringIO()
        console = Console(
            file=out, width=80, force_terminal=terminal, color_system=None, _environ={}
        )
        Screen(lambda: path, "", console).print_failures(failed, "log")
        text = out.getvalue()
        assert "failed: pass canary" in text
        assert "type this" in text
        assert ("───" in text) is terminal


@pytest.mark.parametrize(
    "damage",
    [
        b"\xff\xfe\n{\n",
        b'{"kind":"plan","title":"nano","total":-5,"done":7}\n{"kind":"step"}\n',
        b'{"kind":"started","job":"no such job"}\n{"kind":"step"}\n{"kind":"finished"}\n',
        b'{"at_s":1e308,"kind":"started","job":"0"}\n{"at_s":-1e308,"kind":"finished","job":"0"}\n',
    ],
    ids=["bytes", "numbers", "order", "times"],
)
@pytest.mark.parametrize("terminal", [True, False])
def test_a_damaged_file_spoils_no_line_after_it(path: Path, damage: bytes, terminal: bool) -> None:
    begin(path, 2)
    with path.open("ab") as stream:
        stream.write(damage)
    add(Event(kind="result", text="nano Q1: score 0.9"))
    assert "nano Q1: score 0.9" in shown(path, terminal)


def test_a_mistake_of_ours_ends_the_screen_and_nothing_else(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def find() -> Path:
        raise ValueError("a mistake")

    screen = Screen(find, "")
    screen.begin()
    screen.end()
    assert capsys.readouterr().err == ("the progress is no longer shown: ValueError('a mistake')\n")


def test_a_closed_pipe_and_a_full_disk_are_survived(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin(path, 1)
    add(Event(kind="tell", text=LONG))
    out, into = os.pipe()
    os.close(out)
    with os.fdopen(into, "w") as pipe, Path("/dev/full").open("w") as full:
        for stream in (pipe, full):
            monkeypatch.setattr(sys, "stderr", stream)
            screen = Screen(lambda: path, "")
            screen.begin()
            screen.end()
            screen.print_failures([Event(kind="failed", title="pass_canary", text="why")], "log")
            assert screen.progress
        monkeypatch.undo()
        os.dup2(pipe.fileno(), full.fileno())  # else its buffer would fail when it is closed
