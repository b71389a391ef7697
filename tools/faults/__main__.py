"""Faults at seeded moments of sweeps, and whether the same command then goes on.

    python tools/faults --seed 1 --faults 60 [--only KIND] [--llama-server PATH]

Several faults strike one sweep, one after another. After each, the same command is typed again, and
the next one strikes that. It has to hold that

- what a sweep found in the end, apart from times, is what an undisturbed one found;
- no finished step was lost or repeated: what was sealed stays, journals only grow;
- five seconds after a call has ended, no process of it is left;
- nothing but the same command has to be typed, or one line that the failed call printed.

A line per fault tells what happened; failed sweeps end with the line that repeats them.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path += [str(ROOT), str(ROOT / "tests"), str(ROOT / "tests" / "workflow")]

from bed import STEPS, Bed, differences, line_to_type  # noqa: E402
from fault import Fault  # noqa: E402
from invocation import Result  # noqa: E402
from kinds import Kind  # noqa: E402
from small_disk import small_disk_at  # noqa: E402
from surroundings import KINDS, memory_group  # noqa: E402

_AT_ONCE = 6  # faults of one sweep
_TRIES = 3  # to find what is to be struck
_DISK_MIB = 256  # below the preflight's limit nothing is measured at all
_STOPPED = 130  # by the user, who knows it


class Suite:
    """The faults of a run, and what became of them.

    Args:
        seed: Of the dice.
        binary: A llama-server; empty leaves out what needs a script around one.
    """

    def __init__(self, seed: int, binary: str) -> None:
        self.seed = seed
        self.binary = binary
        self.dice = random.Random(seed)
        self.base = Path(tempfile.mkdtemp(prefix="orket-faults-"))
        self.base.chmod(0o755)  # for the other user
        self.wanted: dict[bool, dict[str, Any]] = {}
        self.sweeps = 0
        self.held = self.failed = 0

    def faults(self, count: int, only: str) -> list[Fault]:
        """Return faults of all kinds that are possible here, each as often as any other."""
        kinds = [kind for kind in KINDS.values() if only in kind.name and not self.absent(kind)]
        chosen: list[Kind] = []
        while kinds and len(chosen) < count:
            chosen += self.dice.sample(kinds, k=min(len(kinds), count - len(chosen)))
        return [Fault.at_random(kind, self.dice) for kind in chosen]

    def absent(self, kind: Kind) -> str:
        """Return why a kind of fault is not possible here; empty if it is."""
        if kind.scripted and not self.binary:
            return "needs --llama-server"
        if kind.name == "oom-server" and not memory_group():
            return "needs a control group of memory (version 1)"
        return "needs root" if kind.root and os.geteuid() else ""

    def play(self, faults: Sequence[Fault]) -> None:
        """Let all of them strike, some of them one sweep."""
        left = deque(sorted(faults, key=lambda fault: fault.kind.scripted))
        while left:
            scripted = left[0].kind.scripted
            now = [it for it in left if it.kind.scripted == scripted][:_AT_ONCE]
            for fault in now:
                left.remove(fault)
            left.extend(self.sweep(now, scripted))

    @contextmanager
    def bed(self, scripted: bool) -> Iterator[Bed]:
        """Yield a new sweep, on a disk of its own if that is possible."""
        self.sweeps += 1
        base = self.base / f"sweep-{self.sweeps}"
        with ExitStack() as held:
            disk = None
            if os.geteuid() == 0:
                disk = held.enter_context(small_disk_at(base, _DISK_MIB))
                base.chmod(0o755)
            yield Bed(base, self.binary if scripted else "", disk)
        shutil.rmtree(base, ignore_errors=True)

    def undisturbed(self, scripted: bool) -> dict[str, Any]:
        """Return what an undisturbed sweep finds."""
        if scripted not in self.wanted:
            with self.bed(scripted) as bed:
                result = bed.call()
                assert result.code == 0, result.text
                self.wanted[scripted] = bed.found()
        return self.wanted[scripted]

    def sweep(self, faults: Sequence[Fault], scripted: bool) -> list[Fault]:
        """Let some faults strike one sweep; return those that are still to come."""
        wanted = self.undisturbed(scripted)
        with self.bed(scripted) as bed:
            left = deque(sorted(faults, key=lambda it: (it.kind.lasting, it.place)))
            struck: list[Fault] = []
            problems: list[str] = []
            again: list[Fault] = []
            before: Result | None = None
            while left and not problems:
                fault = left.popleft()
                result, wrong = self.strike(bed, fault, before)
                if result.struck:
                    struck.append(fault)
                else:
                    again.append(replace(fault, tries=fault.tries + 1))
                problems += wrong
                before = result
                if result.code == 0 and left and not problems:
                    problems += differences(bed.found(), wanted)
                    bed.undo()  # for further ones
            if not problems:
                problems = self.end(bed, before, wanted)
            self.tell(struck, problems)
            if problems:
                again, left = [*again, *left], deque()
            return list(self.retried(again))

    def strike(self, bed: Bed, fault: Fault, before: Result | None) -> tuple[Result, list[str]]:
        """Call the sweep and let a fault strike; return what was wrong then."""
        begin = time.monotonic()
        with fault.kind.around(bed) as env:
            result = bed.call(fault.break_in(bed, self.dice), env)
        problems = bed.problems(result, fault.kind.days)
        if not result.struck and result.code:
            problems.append(
                f"the same command did not go on: exit {result.code}: {_end_of(result)}"
            )
        if result.code > 0 and result.code != _STOPPED and not result.text.strip():
            problems.append(f"exit {result.code} without a word")
        ended = f"exit {result.code}" if result.struck else "found nothing to strike"
        print(
            f"{len(problems) or ' '} sweep {self.sweeps}: {fault}: {ended}, "
            f"{bed.steps_done()} of {STEPS} steps, {time.monotonic() - begin:.0f} s",
            flush=True,
        )
        if line := result.struck and result.code > 0 and line_to_type(result.text):
            print(f"     it says to type: {line}", flush=True)
        return result, problems

    def end(self, bed: Bed, before: Result | None, wanted: dict[str, Any]) -> list[str]:
        """Call the sweep once more, undisturbed, and return what is wrong then."""
        result = bed.call()
        problems = bed.problems(result)
        line = line_to_type(before.text) if before else None
        if result.code and line and not problems:
            bed.type(line)
            result = bed.call()
            problems += bed.problems(result)
        if result.code:
            return [*problems, f"the same command ends with {result.code}: {_end_of(result)}"]
        problems += differences(bed.found(), wanted)
        again = bed.call()
        problems += bed.problems(again)
        if again.code or "Nothing to be done" not in again.text:
            problems.append(f"a second call has work: exit {again.code}: {_end_of(again)}")
        return problems

    def tell(self, struck: Sequence[Fault], problems: Sequence[str]) -> None:
        """Print what became of a sweep."""
        if not problems:
            self.held += len(struck)
            print(f"  sweep {self.sweeps}: as if undisturbed", flush=True)
            return
        self.failed += max(1, len(struck))
        for problem in problems:
            print(f"     PROBLEM {problem}", flush=True)
        print(f"     again: python tools/faults --play '{' '.join(map(str, struck))}'", flush=True)

    def retried(self, faults: Sequence[Fault]) -> Iterator[Fault]:
        """Yield what is to strike another sweep, at another moment where there was nothing."""
        for fault in faults:
            if fault.tries >= _TRIES:
                self.failed += 1
                print(f"     PROBLEM {fault} found nothing to strike, {_TRIES} times", flush=True)
            else:
                moved = Fault.at_random(fault.kind, self.dice) if fault.tries else fault
                yield replace(moved, tries=fault.tries)


def _end_of(result: Result) -> str:
    return result.text[-1500:]


def main() -> int:
    """Run the suite as the command line says; return 1 if anything was wrong."""
    parser = argparse.ArgumentParser(prog="tools/faults", description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--seed", type=int, default=1)
    add("--faults", type=int, default=60, metavar="N", help="how many; default %(default)s")
    add("--only", default="", metavar="KIND", help="only kinds with this in their name")
    add("--play", default="", metavar="FAULTS", help="these faults, on one sweep")
    binary = os.environ.get("ORKET_LLAMA_SERVER", "")
    add("--llama-server", default=binary, metavar="PATH", help="for scripts that start one")
    options = parser.parse_args()
    begin = time.monotonic()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))  # its folders go with it
    suite = Suite(options.seed, options.llama_server and str(Path(options.llama_server).resolve()))
    try:
        faults = [Fault.parse(word) for word in options.play.split()]
        if not faults:
            faults = suite.faults(options.faults, options.only)
            for kind in KINDS.values():
                if why := suite.absent(kind):
                    print(f"left out: {kind.name}: {why}")
        if not shutil.which("cc"):
            print("clocks: there is no C compiler, so only the times of files are set")
        suite.play(faults)
    finally:
        shutil.rmtree(suite.base, ignore_errors=True)
    wanted = len(faults)
    print(
        f"{suite.held} of {wanted} faults cost nothing but the same command, seed {options.seed}, "
        f"{suite.sweeps} sweeps, {(time.monotonic() - begin) / 60:.0f} min"
    )
    return int(suite.held < wanted or bool(suite.failed))


if __name__ == "__main__":
    sys.exit(main())
