"""An open session: a served, warm model, and what belongs to it."""

from __future__ import annotations

import time
from dataclasses import dataclass

from orket_lib.artifacts.run_report import Session
from orket_lib.measure.probe_requests import ProbeMaker
from orket_lib.providers.base import Model
from orket_lib.tasks.sandbox.jobs import Sandbox


@dataclass(frozen=True)
class OpenSession:
    """A served, warm model.

    Attributes:
        model: To be asked.
        record: What is known about it.
        maker: Makes speed probes for it.
        origin_s: Monotonic clock at the session's start.
        sandbox: Where code of answers is run; None where no task needs that.
    """

    model: Model
    record: Session
    maker: ProbeMaker
    origin_s: float
    sandbox: Sandbox | None = None

    def now_s(self) -> float:
        """Return the seconds since the session began, on the clock that samples carry."""
        return time.monotonic() - self.origin_s
