"""What testing one metric of one cell brings."""

from __future__ import annotations

from dataclasses import dataclass

from orket_lib.artifacts.views.regression import Metric, TaskFinding

ADHERENCE: Metric = "adherence_score"


@dataclass(frozen=True)
class Tested:
    """A metric that could be tested.

    Attributes:
        before: Typical value of the baselines.
        now: The new value.
        effect: Relative change; of adherence, the difference.
        low: Lower end of the 95 % interval of the effect.
        high: Upper end of it.
        noise: Spread between the baselines, same unit.
        p_value: Two-sided.
        worse: Whether the effect is for the worse.
        beyond_noise: Whether it is large enough to be a finding if it is significant.
        tasks: That are paired.
        findings: Tasks that stand out.
    """

    before: float
    now: float
    effect: float
    low: float
    high: float
    noise: float
    p_value: float
    worse: bool
    beyond_noise: bool
    tasks: int = 0
    findings: tuple[TaskFinding, ...] = ()
