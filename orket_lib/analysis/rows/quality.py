"""Whether the observations of a cell pollute it, under policy and lane, and what makes a row valid.

This is the only definition of a valid row. The hardware sidecar has no part in it: it is a
diagnosis, and changes no row.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from orket_lib.artifacts.row_settings import RowPolicy
from orket_lib.artifacts.views.run_report import Observation, RunReport, TestRun
from orket_lib.vocabulary.nulls import Null
from orket_lib.vocabulary.reasons import Reason, Severity, pollutes_in_ci, spoils_quality
from orket_lib.vocabulary.statuses import Lane, Quality, RunStatus, TokenStatus
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

    A cell has hundreds of graded runs and only a few probes, which its speeds come from. Over both
    together, a disturbed probe would hardly count.
    """
    runs = [_has(run.telemetry.run_quality_reasons, reason) for run in report.test_runs]
    probes = [_has(probe.observations, reason) for probe in report.probes]
    return max((sum(hits) / len(hits) for hits in (runs, probes) if hits), default=0.0)


def row_reasons(
    report: RunReport, policy: RowPolicy, overhead: float | Null
) -> tuple[Observation, ...]:
    """Return the row's reasons: hard ones that were seen, soft ones beyond the policy, and notes.

    Args:
        report: The run report.
        policy: Tolerated rates; a rate equal to its limit is fine.
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
    found += _leaks(report.test_runs)
    limit = policy.max_orchestration_overhead_ratio
    if not isinstance(overhead, Null) and exceeds(overhead, limit):
        found.append(
            Observation.of(
                Reason.HIGH_ORCHESTRATION_OVERHEAD, f"mean ratio {overhead:.3f} exceeds {limit:g}"
            )
        )
    return first_of_each(found)


def _leaks(runs: Sequence[TestRun]) -> Iterator[Observation]:
    """Yield a note if the server left tokens of its chat template in answers."""
    leaked = [run for run in runs if run.leaked_token]
    if leaked:
        first = leaked[0]
        yield Observation.of(
            Reason.TEMPLATE_TOKEN_LEAKED,
            f"{len(leaked)} of {len(runs)} answers; first: {first.test_id} run "
            f"{first.run_index + 1}: {first.leaked_token}, cut off before grading; check the "
            "server's chat template",
        )


def row_quality(reasons: Iterable[Observation], lane: Lane) -> Quality:
    """Return whether a row's reasons pollute it in a lane."""
    return Quality.POLLUTED if any(pollutes(item, lane) for item in reasons) else Quality.CLEAN


def _has(observations: Iterable[Observation], reason: Reason) -> bool:
    return any(item.reason is reason for item in observations)


def _places(report: RunReport, reason: Reason) -> list[str]:
    """Return where a reason was seen, each run and probe once, with the evidence.

    Runs are counted from 1 for people, although `run_index` in the files starts at 0.
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


def first_of_each(found: Iterable[Observation]) -> tuple[Observation, ...]:
    """Return the first observation of each reason."""
    first: dict[Reason, Observation] = {}
    for item in found:
        first.setdefault(item.reason, item)
    return tuple(first.values())


def invalid_because(
    status: RunStatus, quality: Quality | None, tokens: TokenStatus | None
) -> tuple[str, ...]:
    """Return why a row is not valid; empty for a valid one."""
    if status is not RunStatus.MEASURED:
        return (f"status is {status.value}",)
    reasons = []
    if quality is not Quality.CLEAN:
        reasons.append(f"run quality is {quality.value if quality else 'unknown'}")
    if tokens is not TokenStatus.OK:
        reasons.append(f"token metrics are {tokens.value if tokens else 'unknown'}")
    return tuple(reasons)


def times_spoiled_by(
    report: RunReport, policy: RowPolicy, lane: Lane, overhead: float | Null
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return why the times of probes, and those of answers, don't count; empty if they do.

    A disturbed answer says nothing about the probes, and the other way round.

    Args:
        report: The report of a measured cell.
        policy: Tolerated rates.
        lane: Of the row.
        overhead: The row's mean orchestration overhead ratio.
    """
    probes = report.model_copy(update={"test_runs": ()})
    answers = report.model_copy(update={"probes": ()})
    return (
        _spoiling(row_reasons(probes, policy, Null("NO_RUN")), lane),
        _spoiling(row_reasons(answers, policy, overhead), lane),
    )


def _spoiling(reasons: Iterable[Observation], lane: Lane) -> tuple[str, ...]:
    return tuple(
        f"{item.reason.value}: {item.evidence}" for item in reasons if pollutes(item, lane)
    )


def quality_spoiled_by(status: RunStatus, polluting: Iterable[Observation]) -> tuple[str, ...]:
    """Return why a row's answers can't be judged; empty if they can.

    A row with disturbed times but undisturbed answers can still be judged.

    Args:
        status: Status of the measurement.
        polluting: Observations that pollute the row in its lane.
    """
    if status is not RunStatus.MEASURED:
        return (f"status is {status.value}",)
    return tuple(
        f"{item.reason.value}: {item.evidence}" for item in polluting if spoils_quality(item.reason)
    )
