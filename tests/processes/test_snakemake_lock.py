"""A dead Snakemake's lock is taken away; that of one that lives, or of something else, is not."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from orket_lib.processes.snakemake_lock import take_over
from orket_lib.vocabulary.errors import Refused

# A Snakemake that works on a sweep, with its lock, and a job of it that runs for a given time.
_SNAKEMAKE = """
import os, subprocess, sys
from pathlib import Path
from orket_lib.processes.snakemake_lock import take_over
from orket_lib.processes.snakemake_watchdog import announce_snakemake
announce_snakemake()
take_over("results/mine", print)
locks = Path(".snakemake/locks")
locks.mkdir(parents=True, exist_ok=True)
(locks / "0.input.lock").write_text("my.yaml\\n")
(locks / "0.output.lock").write_text("results/mine/a.json\\nresults/mine/b.json\\n")
job = subprocess.Popen([sys.executable, "-c", f"import time; time.sleep({sys.argv[1]})"])
print("works", flush=True)
sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@contextmanager
def snakemake(job_s: float = 0) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", _SNAKEMAKE, str(job_s)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, text=True, **pipes) as process:  # type: ignore[call-overload]
        try:
            assert process.stdout.readline() == "works\n"
            yield process
        finally:
            process.kill()


def after_the_kill(job_s: float = 0) -> None:
    with snakemake(job_s):
        pass


def locks() -> list[str]:
    return sorted(path.name for path in Path(".snakemake/locks").iterdir())


def said() -> list[str]:
    lines: list[str] = []
    take_over("results/mine", lines.append)
    return lines


BOTH = ["0.input.lock", "0.output.lock"]
GOES_ON = ["results/mine: a sweep was killed here; this one goes on from there"]


def test_the_lock_of_a_killed_sweep_is_taken_away_once() -> None:
    after_the_kill()
    assert locks() == BOTH
    assert said() == GOES_ON
    assert locks() == []
    assert said() == []


def test_what_a_sweep_that_ended_left_is_cleared_without_a_word() -> None:
    after_the_kill()
    for name in BOTH:
        Path(".snakemake/locks", name).unlink()
    assert said() == []
    (note,) = {path.stem for path in Path(".snakemake/orket/running").iterdir()}
    assert note.startswith(f"{os.getpid()}-")


def test_a_sweep_that_runs_keeps_its_lock() -> None:
    with snakemake() as other:
        with pytest.raises(Refused) as refused:
            said()
        assert str(refused.value) == (
            f"results/mine: this sweep runs already (process {other.pid}); to see it, type: orket "
            "watch"
        )
        assert locks() == BOTH


def test_a_job_that_is_left_is_waited_for() -> None:
    after_the_kill(job_s=0.5)
    assert said() == GOES_ON


def test_a_job_that_stays_keeps_the_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orket_lib.processes.snakemake_lock._LAST_BREATH_S", 0.1)
    after_the_kill(job_s=1.5)
    assert said() == []
    assert locks() == BOTH


@pytest.mark.parametrize("further", ["other/c.json", "results/mine-too/a.json"])
def test_a_lock_on_other_files_is_not_ours_to_take(further: str) -> None:
    after_the_kill()
    with Path(".snakemake/locks/0.output.lock").open("a") as stream:
        stream.write(f"{further}\n")
    assert said() == []
    assert locks() == BOTH


def test_a_lock_without_a_note_stays() -> None:
    after_the_kill()
    for path in Path(".snakemake/orket/running").iterdir():
        path.unlink()
    assert said() == []
    assert locks() == BOTH


def test_a_note_of_another_machine_is_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    after_the_kill()
    monkeypatch.setattr("platform.node", lambda: "elsewhere")
    with pytest.raises(Refused, match="works on this sweep; if that was killed, type: snakemake"):
        said()
    assert locks() == BOTH
