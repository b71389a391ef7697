"""A fault to come: what happens, and at which moment of a sweep."""

from __future__ import annotations

import random
import re
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from bed import STEPS, Bed
from invocation import LONGEST_S, BreakIn
from kinds import Kind, Moment
from surroundings import KINDS

_POLL_S = 0.02
_JOBS = 18  # after the measurements, about


@dataclass(frozen=True)
class Fault:
    """A fault to come.

    Attributes:
        kind: What happens.
        when: `step57`, `job5` of the call, or `0.5s` after its start.
        tries: How often it found nothing to strike.
    """

    kind: Kind
    when: str
    tries: int = 0

    @classmethod
    def at_random(cls, kind: Kind, dice: random.Random) -> Fault:
        """Return it at any moment that suits it."""
        if kind.name == "another-user":  # nothing is measured before it
            return cls(kind, "0s")
        step = f"step{dice.randint(0, STEPS - 10)}"
        if kind.measuring:
            return cls(kind, step)
        job, second = f"job{dice.randint(1, _JOBS)}", f"{dice.choice([0.3, 0.8, 1.5, 2.5])}s"
        return cls(kind, dice.choice([step, step, job, second]))

    @classmethod
    def parse(cls, word: str) -> Fault:
        """Return what its text says."""
        name, _, when = word.partition("@")
        return cls(KINDS[name], when)

    def __str__(self) -> str:
        return f"{self.kind.name}@{self.when}"

    @property
    def place(self) -> tuple[int, float]:
        """Where it stands in a sweep: starts, measurements, views."""
        kind, number = re.fullmatch(r"(step|job|)([\d.]+)s?", self.when).groups()  # type: ignore[union-attr]
        return ("", "step", "job").index(kind), float(number)

    def break_in(self, bed: Bed, dice: random.Random) -> BreakIn:
        """Return what waits for the moment, and strikes."""
        unit, number = self.place

        def strike(process: subprocess.Popen[bytes], log: Path) -> bool:
            begin = time.monotonic()
            now = (
                lambda: time.monotonic() - begin,
                bed.steps_done,
                lambda: bed.jobs_begun(process.pid),
            )[unit]
            come = False
            while process.poll() is None and time.monotonic() - begin < LONGEST_S:
                come = come or now() >= number
                if come and self.kind.strike(Moment(bed, process.pid, dice)):
                    return True
                time.sleep(_POLL_S)
            return False

        return strike
