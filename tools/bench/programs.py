"""Other programs, run to their end: what they took, and what they said."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from orket_lib.vocabulary.errors import OrketError

ORKET = (sys.executable, "-m", "orket_lib")
SNAKEMAKE = (sys.executable, "-m", "snakemake")
_LONGEST = 300  # characters of what a program said, for a message


class NotRun(OrketError):
    """A program isn't there or failed, so what it takes is not known."""


@dataclass(frozen=True)
class Cost:
    """Of one command, with all that it starts and waits for.

    Attributes:
        cpu_s: Of user and system.
        wall_s: From start to end.
        peak_mib: Resident memory of its largest process.
        said: Its standard output and error.
    """

    cpu_s: float
    wall_s: float
    peak_mib: float
    said: str


def cost(
    command: Sequence[str | Path], folder: Path, environment: Mapping[str, str] | None = None
) -> Cost:
    """Return what a command takes to its end.

    Raises:
        NotRun: It isn't there, or it fails.
    """
    began = time.monotonic()
    with tempfile.TemporaryFile() as output:
        try:
            process = subprocess.Popen(
                [str(word) for word in command],
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, **(environment or {})},
            )
        except OSError as error:
            raise NotRun(f"{command[0]}: can't be started: {error.strerror}") from None
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        wall_s = time.monotonic() - began
        output.seek(0)
        said = output.read().decode(errors="replace")
    if status:
        raise NotRun(f"{Path(command[0]).name}: exit {process.returncode}: {_why(said)}")
    return Cost(used.ru_utime + used.ru_stime, wall_s, used.ru_maxrss / 1024, said)


def program(path: Path | None, option: str) -> Path:
    """Return the program that an option names.

    Raises:
        NotRun: The option isn't given, or nothing that can be run is there.
    """
    if path is None:
        raise NotRun(f"not given: {option} PROGRAM")
    if not os.access(path, os.X_OK):
        raise NotRun(f"{option}: no program there")
    return path.absolute()


def _why(said: str) -> str:
    """Return the first line that speaks of an error, or the last one."""
    lines = [line.strip() for line in said.splitlines() if line.strip()] or ["it said nothing"]
    return next((line for line in lines if "error" in line.lower()), lines[-1])[:_LONGEST]
