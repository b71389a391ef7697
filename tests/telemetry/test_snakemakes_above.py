from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

from orket_lib.telemetry.counters import snakemakes_above


class Parent:
    """A process above, with a command line."""

    def __init__(self, *words: str, error: Exception | None = None) -> None:
        self._words, self._error = words, error

    def cmdline(self) -> list[str]:
        if self._error:
            raise self._error
        return list(self._words)


def above(*parents: Parent) -> list[Any]:
    class Me:
        def parents(self) -> list[Parent]:
            return list(parents)

    me: Any = Me()
    return snakemakes_above(me)


@pytest.mark.parametrize(
    "words",
    [
        ("/opt/venv/bin/python3", "/opt/venv/bin/snakemake", "--cores", "4"),
        ("python", "-m", "snakemake"),
        ("/usr/bin/snakemake",),
        ("python.exe", "snakemake.exe"),
    ],
)
def test_snakemake_is_known_by_its_command(words: tuple[str, ...]) -> None:
    parent = Parent(*words)
    assert above(parent) == [parent]


@pytest.mark.parametrize(
    "words",
    [
        ("/bin/bash", "-c", "set -e; orket run # started by snakemake"),
        ("vim", "Snakefile"),
        ("python", "-m", "pytest", "tests/snakemake"),
        ("python", "/home/snakemake/train.py"),
        (),
    ],
)
def test_who_only_mentions_snakemake_is_not_it(words: tuple[str, ...]) -> None:
    assert above(Parent(*words)) == []


def test_the_innermost_comes_first_and_who_is_gone_is_left_out() -> None:
    inner, outer = Parent("snakemake", "inner"), Parent("snakemake", "outer")
    gone = Parent(error=psutil.NoSuchProcess(1))
    closed = Parent(error=psutil.AccessDenied(1))
    assert above(gone, inner, Parent("bash"), closed, outer) == [inner, outer]


def test_a_real_job_finds_the_snakemakes_that_it_runs_under(tmp_path: Path) -> None:
    script = tmp_path / "snakemake"
    script.write_text(
        "import os, subprocess, sys\n"
        "print(os.getpid(), flush=True)\n"
        "subprocess.run([sys.executable, *sys.argv[1:]], check=True)\n",
        encoding="utf-8",
    )
    job = (
        "import psutil\n"
        "from orket_lib.telemetry.counters import snakemakes_above\n"
        "print(*(item.pid for item in snakemakes_above(psutil.Process())))\n"
    )
    done = subprocess.run(
        [sys.executable, str(script), str(script), "-c", job],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    outer, inner, found = done.stdout.splitlines()
    assert found.split()[:2] == [inner, outer]
