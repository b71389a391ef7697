"""What comes back for one question, whoever asked it: we the model, or a runner's command."""

from __future__ import annotations

from dataclasses import dataclass

from orket_lib.artifacts.measurements.runner import RunnerRun
from orket_lib.artifacts.measurements.tokens import TokenMetrics
from orket_lib.artifacts.views.run_report import Observation
from orket_lib.vocabulary.errors import Fault
from orket_lib.vocabulary.nulls import Null
from orket_lib.vocabulary.statuses import Outcome


@dataclass(frozen=True)
class Failure:
    """Why there is nothing to judge: `outcome` is an error or a timeout."""

    outcome: Outcome
    detail: str
    fault: Fault | None = None


@dataclass(frozen=True)
class Reply:
    """What came back, before anybody judges it.

    Attributes:
        metrics: Of its tokens.
        total_s: From the question to the end of the answer, by our clock.
        internal_s: Of that, inside the model.
        text: The answer.
        own_score: Of a runner that shows no answer, from 0 to 1.
        failure: Why there is neither.
        finish_reason: As the server says.
        seen: What was wrong with it, with the evidence.
        secrets: What must not be kept of it.
        runner: Of a runner's command.
    """

    metrics: TokenMetrics
    total_s: float | Null
    internal_s: float | Null
    text: str | None = None
    own_score: float | None = None
    failure: Failure | None = None
    finish_reason: str | None = None
    seen: tuple[Observation, ...] = ()
    secrets: tuple[str, ...] = ()
    runner: RunnerRun | None = None
