"""One call of a sweep, and what may break into it; of the random walk and of `tools/faults`."""

from __future__ import annotations

import contextlib
import os
import random
import re
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parents[2]
FAULTS = ROOT / "tests" / "workflow" / "faults"
LONGEST_S = 600
_POLL_S = 0.05
_MARK = "WALK_CALL"  # a variable that all processes of a call inherit
_LAST_BREATH_S = 15  # for whoever is to die with somebody else

# What is struck: Ctrl-C reaches the whole process group, an out-of-memory killer one process.
STRIKES = ("ctrl-c", "kill-group", "kill-head", "kill-job", "kill-server")


# Given a call and what it prints: waits for a moment, strikes, and tells whether there was one.
BreakIn = Callable[["subprocess.Popen[bytes]", Path], bool]


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

    def __call__(self, process: subprocess.Popen[bytes], log: Path) -> bool:
        """Wait for the moment, and strike; tell whether there was one."""
        begun = re.compile(rf"^(?:local)?rule {self.rule or '[a-z_]+'}:$", re.MULTILINE)
        deadline = time.monotonic() + LONGEST_S
        while len(begun.findall(log.read_text(encoding="utf-8"))) < self.number:
            if process.poll() is not None or time.monotonic() > deadline:
                return False
            time.sleep(_POLL_S)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(self.delay_s)
        while process.poll() is None and time.monotonic() < deadline:
            if _struck(process.pid, self.kind):
                return True
            time.sleep(_POLL_S)
        return False

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
    strike: BreakIn | None = None,
    env: Mapping[str, str] | None = None,
    *,
    module: str = "snakemake",
    log: Path | None = None,
    last_breath_s: float = _LAST_BREATH_S,
) -> Result:
    """Run a sweep in a folder, to its end or to that of what breaks into it.

    Args:
        folder: To run it in.
        arguments: Of the command.
        strike: Waits for its moment and strikes; tells whether there was one.
        env: The environment, where it differs from ours; an empty value takes a variable out.
        module: Snakemake, or what becomes it.
        log: What it prints; None means a file in the folder.
        last_breath_s: How long processes may outlive it.
    """
    log = log or folder / "output.log"
    mark = secrets.token_hex(8)
    environment = {**os.environ, **(env or {}), _MARK: mark}
    with log.open("w", encoding="utf-8") as stream:
        process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            cwd=folder,
            stdout=stream,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=_hear_signals,
            env={name: value for name, value in environment.items() if value},
        )
        try:
            struck = strike is not None and strike(process, log)
            process.wait(LONGEST_S)
        except BaseException as error:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            if not isinstance(error, subprocess.TimeoutExpired):
                raise
            stream.write(f"Traceback: it did not end within {LONGEST_S} s\n")
    left = _outliving(mark, last_breath_s)
    text = log.read_text(encoding="utf-8", errors="replace")
    return Result(process.returncode, text, struck, left)


def _hear_signals() -> None:
    """Be as a shell in the foreground starts a command: one in the background is deaf to some."""
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


def failing(job: str) -> dict[str, str]:
    """Return the environment in which a job fails, the way a crash would; see `faults`."""
    path = os.pathsep.join([str(FAULTS), os.environ.get("PYTHONPATH", "")])
    return {"WALK_FAIL": job, "PYTHONPATH": path} if job else {}


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
        found = below(head, lambda words: word in words)
        if not found:
            return False
        with contextlib.suppress(psutil.Error):
            found[0].kill()
    return True


def below(head: int, are: Callable[[list[str]], bool]) -> list[psutil.Process]:
    """Return the descendants of a process with certain words on their command lines."""
    found = []
    with contextlib.suppress(psutil.NoSuchProcess):
        for process in psutil.Process(head).children(recursive=True):
            with contextlib.suppress(psutil.Error):
                if are(process.cmdline()):
                    found.append(process)
    return found


def _outliving(mark: str, within_s: float) -> tuple[str, ...]:
    """Return the commands of processes of a call that should be gone."""
    deadline = time.monotonic() + within_s
    while (left := _marked(mark)) and time.monotonic() < deadline:
        time.sleep(_POLL_S)
    return left


def _marked(mark: str) -> tuple[str, ...]:
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            marked = process.environ().get(_MARK) == mark
            if marked and process.status() != psutil.STATUS_ZOMBIE:
                found.append(" ".join(process.cmdline()))
    return tuple(found)
