"""From what was observed in a cell to its quality: which reasons pollute, under policy and lane."""

from __future__ import annotations

from collections.abc import Iterable

from orket_lib.artifacts.views.row import RowPolicy
from orket_lib.artifacts.views.run_report import Observation, RunReport, TestRun
from orket_lib.vocabulary.nulls import Null
from orket_lib.vocabulary.reasons import Reason, Severity, pollutes_in_ci
from orket_lib.vocabulary.statuses import Lane, Quality
from orket_lib.vocabulary.thresholds import exceeds


def pollutes(observation: Observation, lane: Lane) -> bool:
    """Tell whether an observation counts against a run or a row in a lane."""
    if observation.severity is Severity.NOTE:
        return False
    return lane is Lane.LAB or pollutes_in_ci(observation.reason)


def run_is_polluted(run: TestRun, lane: Lane) -> bool:
    """Tell whether something that counts in this lane disturbed a run."""
    return any(pollutes(item, lane) for item in run.telemetry.run_quality_reasons)


def reason_share(report: RunReport, reason: Reason) -> float:
    """Return the share of graded runs, or of probes, in which a reason was seen: the larger one.

    A cell has hundreds of graded runs and a handful of probes, from which its speeds come: over
    both together, a spoiled probe would drown.
    """
    runs = [_has(run.telemetry.run_quality_reasons, reason) for run in report.test_runs]
    probes = [_has(probe.observations, reason) for probe in report.probes]
    return max((sum(hits) / len(hits) for hits in (runs, probes) if hits), default=0.0)


def row_reasons(
    report: RunReport, policy: RowPolicy, overhead: float | Null
) -> tuple[Observation, ...]:
    """Return the row's reasons: hard ones that were seen, soft ones beyond the policy, and notes.

    Args:
        report: What was observed.
        policy: What the row tolerates; a rate equal to its limit is fine.
        overhead: The row's mean orchestration overhead ratio.
    """
    found = list(report.observations)
    for reason in Reason:
        places = _places(report, reason)
        if not places:
            continue
        requests = len(report.test_runs) + len(report.probes)
        evidence = f"{len(places)} of {requests} runs and probes; first: {places[0]}"
        seen = Observation.of(reason, evidence)
        share = reason_share(report, reason)
        if seen.severity is not Severity.SOFT or exceeds(share, _tolerated(reason, policy)):
            found.append(seen)
    limit = policy.max_orchestration_overhead_ratio
    if not isinstance(overhead, Null) and exceeds(overhead, limit):
        found.append(
            Observation.of(
                Reason.HIGH_ORCHESTRATION_OVERHEAD, f"mean ratio {overhead:.3f} exceeds {limit:g}"
            )
        )
    return _first_of_each(found)


def row_quality(reasons: Iterable[Observation], lane: Lane) -> Quality:
    """Return whether a row's reasons pollute it in a lane."""
    return Quality.POLLUTED if any(pollutes(item, lane) for item in reasons) else Quality.CLEAN


def _has(observations: Iterable[Observation], reason: Reason) -> bool:
    return any(item.reason is reason for item in observations)


def _places(report: RunReport, reason: Reason) -> list[str]:
    """Return where a reason was seen, each run and probe once, with the evidence.

    People count runs from 1; the sealed files, by how often something was asked before.
    """
    labelled = [
        *((f"probe {probe.index + 1}", probe.observations) for probe in report.probes),
        *(
            (f"{run.test_id} run {run.run_index + 1}", run.telemetry.run_quality_reasons)
            for run in report.test_runs
        ),
    ]
    first = (
        (label, next((item for item in seen if item.reason is reason), None))
        for label, seen in labelled
    )
    return [f"{label}: {item.evidence}" for label, item in first if item]


def _tolerated(reason: Reason, policy: RowPolicy) -> float:
    """Return the share of runs that may show a soft reason."""
    return {
        Reason.MISSING_TOKEN_TIMINGS: policy.max_missing_telemetry_rate,
        Reason.HIGH_CPU_SATURATION: policy.max_cpu_saturation_rate,
        Reason.HIGH_SYSTEM_LOAD: policy.max_system_load_rate,
    }.get(reason, 0.0)


def _first_of_each(found: Iterable[Observation]) -> tuple[Observation, ...]:
    first: dict[Reason, Observation] = {}
    for item in found:
        first.setdefault(item.reason, item)
    return tuple(first.values())
