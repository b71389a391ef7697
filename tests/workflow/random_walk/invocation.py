"""One call of Snakemake, and what may break into it."""

from __future__ import annotations

import contextlib
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parents[3]
FAULTS = ROOT / "tests" / "workflow" / "faults"
_LONGEST_S = 600
_POLL_S = 0.05
_LAST_BREATH_S = 15  # for whoever is to die with somebody else

# What is struck: Ctrl-C reaches the whole process group, an out-of-memory killer one process.
STRIKES = ("ctrl-c", "kill-group", "kill-head", "kill-job", "kill-server")


@dataclass(frozen=True)
class Strike:
    """An interruption.

    Attributes:
        kind: One of `STRIKES`.
        rule: A job of which it waits for; empty for any.
        number: The how manieth of those jobs.
        delay_s: How long after that job began.
    """

    kind: str
    rule: str
    number: int
    delay_s: float

    @classmethod
    def at_random(cls, dice: random.Random, rules: Sequence[str]) -> Strike:
        """Return any of them, at a job of the rules or at any job, within its first seconds."""
        rule = dice.choice(["", dice.choice(rules)])
        number = 1 if rule else dice.randint(1, 25)
        return cls(dice.choice(STRIKES), rule, number, dice.choice([0, 0.3, 1, 2, 4]))

    def __str__(self) -> str:
        return f"{self.kind} {self.delay_s} s into job {self.number} {self.rule}".rstrip()


@dataclass(frozen=True)
class Result:
    """How a call ended.

    Attributes:
        code: Exit status; negative where a signal ended it.
        text: All that it printed.
        struck: Whether the strike found what it was meant for.
        left: Processes that outlived it.
    """

    code: int
    text: str
    struck: bool = False
    left: tuple[str, ...] = ()


def call(
    folder: Path,
    arguments: Sequence[str],
    strike: Strike | None = None,
    env: Mapping[str, str] | None = None,
) -> Result:
    """Run Snakemake in a folder, to its end or to that of the strike."""
    log = folder / "output.log"
    with log.open("w", encoding="utf-8") as stream:
        process = subprocess.Popen(
            [sys.executable, "-m", "snakemake", *arguments],
            cwd=folder,
            stdout=stream,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=_hear_ctrl_c,
            env={**os.environ, **(env or {})},
        )
        struck = strike is not None and _strike(process, log, strike)
        process.wait(_LONGEST_S)
    left = _outliving(folder)
    return Result(process.returncode, log.read_text(encoding="utf-8"), struck, left)


def _hear_ctrl_c() -> None:
    """Be as a shell in the foreground starts a command: one in the background is deaf to it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def failing(job: str) -> dict[str, str]:
    """Return the environment in which a job fails, the way a crash would; see `faults`."""
    path = os.pathsep.join([str(FAULTS), os.environ.get("PYTHONPATH", "")])
    return {"WALK_FAIL": job, "PYTHONPATH": path} if job else {}


def _strike(process: subprocess.Popen[bytes], log: Path, strike: Strike) -> bool:
    """Wait for the moment, and strike; tell whether there was one."""
    begun = re.compile(rf"^(?:local)?rule {strike.rule or '[a-z_]+'}:$", re.MULTILINE)
    deadline = time.monotonic() + _LONGEST_S
    while len(begun.findall(log.read_text(encoding="utf-8"))) < strike.number:
        if process.poll() is not None or time.monotonic() > deadline:
            return False
        time.sleep(_POLL_S)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(strike.delay_s)
    while process.poll() is None and time.monotonic() < deadline:
        if _struck(process.pid, strike.kind):
            return True
        time.sleep(_POLL_S)
    return False


def _struck(head: int, kind: str) -> bool:
    if kind == "ctrl-c":
        os.killpg(head, signal.SIGINT)
    elif kind == "kill-group":
        os.killpg(head, signal.SIGKILL)
    elif kind == "kill-head":
        os.kill(head, signal.SIGKILL)
    else:
        word = (
            "orket_lib.providers.llama_cpp.embedded_child" if kind == "kill-server" else "orket_lib"
        )
        return _kill_one(head, word)
    return True


def _kill_one(head: int, word: str) -> bool:
    """Kill a descendant that has a word of its own on its command line; tell whether there is."""
    with contextlib.suppress(psutil.NoSuchProcess):
        for process in psutil.Process(head).children(recursive=True):
            with contextlib.suppress(psutil.Error):
                if word in process.cmdline():
                    process.kill()
                    return True
    return False


def _outliving(folder: Path) -> tuple[str, ...]:
    """Return the commands of processes that work in a folder although they should be gone."""
    deadline = time.monotonic() + _LAST_BREATH_S
    while (left := _working_in(folder)) and time.monotonic() < deadline:
        time.sleep(_POLL_S)
    return left


def _working_in(folder: Path) -> tuple[str, ...]:
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.cwd() == str(folder) and process.status() != psutil.STATUS_ZOMBIE:
                found.append(" ".join(process.cmdline()))
    return tuple(found)
