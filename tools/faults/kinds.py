"""Kinds of faults, and those that are signals to the processes of a sweep."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import psutil
from bed import Bed
from invocation import below

_PAUSES_S = (0.2, 1.0, 2.5)


@dataclass(frozen=True)
class Moment:
    """When a fault strikes.

    Attributes:
        bed: The sweep.
        head: Snakemake's process.
        dice: Of the fault.
    """

    bed: Bed
    head: int
    dice: random.Random


Strike = Callable[[Moment], bool]  # tells whether that which is struck is there
Around = Callable[[Bed], AbstractContextManager[Mapping[str, str]]]


def nothing(bed: Bed) -> AbstractContextManager[Mapping[str, str]]:
    """Change nothing around a call."""
    return nullcontext({})


@dataclass(frozen=True)
class Kind:
    """A kind of fault.

    Attributes:
        name: As typed after `--only` and `--play`.
        strike: What it does at its moment.
        around: Surrounds the call: yields what its environment has, and ends what was done to it.
        measuring: Whether it strikes what runs only while a model is measured.
        scripted: Whether the server must be one that a script starts.
        root: Whether it takes root.
        lasting: Whether the call may go on after it, to its end.
        days: Whether so much time seems to pass that the canary is due again.
    """

    name: str
    strike: Strike
    around: Around = nothing
    measuring: bool = False
    scripted: bool = False
    root: bool = False
    lasting: bool = False
    days: bool = False


def processes(moment: Moment, target: str) -> list[psutil.Process]:
    """Return the process that is struck; empty while there is none."""
    binary = moment.bed.scripted
    are: dict[str, Callable[[list[str]], bool]] = {
        "job": lambda words: "orket_lib" in words,
        "sampler": lambda words: "orket_lib.telemetry.sampler_process" in words,
        "keeper": lambda words: "orket_lib.processes.server_supervisor" in words,
        "script": lambda words: words[1:2] == ["./serve.sh"] and "--port" in words,
        "server": lambda words: (
            words[:1] == [binary] and "--port" in words
            if binary
            else "orket_lib.providers.llama_cpp.embedded_child" in words
        ),
    }
    if target == "snakemake":
        return [psutil.Process(moment.head)]
    return below(moment.head, are[target])[:1]


def _signalled(target: str, *numbers: signal.Signals) -> Strike:
    """Return what sends signals to a process, with a pause after the first."""

    def strike(moment: Moment) -> bool:
        for process in processes(moment, target):
            for place, number in enumerate(numbers):
                if place:
                    time.sleep(moment.dice.choice(_PAUSES_S))
                try:
                    process.send_signal(number)
                except psutil.NoSuchProcess:
                    return place > 0
            return True
        return False

    return strike


def _group(number: signal.Signals) -> Strike:
    def strike(moment: Moment) -> bool:
        os.killpg(moment.head, number)
        return True

    return strike


kill_snakemake = _signalled("snakemake", signal.SIGKILL)
_WAYS: dict[str, tuple[signal.Signals, ...]] = {
    "kill": (signal.SIGKILL,),
    "term": (signal.SIGTERM,),
    "int": (signal.SIGINT,),
    "pause": (signal.SIGSTOP, signal.SIGCONT),
    "stop-kill": (signal.SIGSTOP, signal.SIGKILL),
}


def signal_kinds() -> Iterator[Kind]:
    """Yield the kinds that send signals."""
    for target in ("snakemake", "job", "server", "sampler", "keeper", "script"):
        below_script = target in ("keeper", "script")
        for way, numbers in _WAYS.items():
            measuring = target not in ("snakemake", "job")
            strike = _signalled(target, *numbers)
            lasting = way == "pause" or target in ("sampler", "keeper")
            yield Kind(f"{way}-{target}", strike, nothing, measuring, below_script, lasting=lasting)
    for name, strike in (
        ("server-below", _signalled("server", signal.SIGKILL)),
        ("job-above", _signalled("job", signal.SIGKILL)),
        ("snakemake-above", kill_snakemake),
        ("group-above", _group(signal.SIGKILL)),
    ):
        yield Kind(f"kill-{name}-script", strike, measuring=True, scripted=True)
    yield Kind("ctrl-c", _group(signal.SIGINT))
    yield Kind("kill-group", _group(signal.SIGKILL))
    yield Kind("hang-up", _group(signal.SIGHUP))
