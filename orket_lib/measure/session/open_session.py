"""An open session: a served, warm model, and what belongs to it."""

from __future__ import annotations

import time
from dataclasses import dataclass

from orket_lib.artifacts.views.run_report import Observation, Session
from orket_lib.measure.speed.probe_prompts import ProbeMaker
from orket_lib.providers.base import Model
from orket_lib.sandbox.jobs import Sandbox
from orket_lib.telemetry.sampler import RunningSampler


@dataclass(frozen=True)
class OpenSession:
    """A served, warm model.

    Attributes:
        model: To be asked.
        record: What is known about it.
        maker: Makes speed probes for it.
        origin_s: Monotonic clock at the session's start.
        sandbox: Where code of answers is run; None where no task needs that.
        sampler: Who watches the machine meanwhile.
    """

    model: Model
    record: Session
    maker: ProbeMaker
    origin_s: float
    sandbox: Sandbox | None = None
    sampler: RunningSampler | None = None

    @property
    def probes_last(self) -> bool:
        """Whether probes come after the tasks, because they take so long here."""
        return self.record.probing is not None and self.record.probing.after_tasks

    def disturbances(self) -> tuple[Observation, ...]:
        """Return what else happened on the server since the last call; see `Model.disturbances`.

        A server that was replaced is another process, whose work is to be counted from now on.
        """
        found = self.model.disturbances()
        if self.sampler:
            self.sampler.follow(self.model.pid)
        return found

    def now_s(self) -> float:
        """Return the seconds since the session began, on the clock that samples carry."""
        return time.monotonic() - self.origin_s
