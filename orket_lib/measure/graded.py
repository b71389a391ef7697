"""One task, once: question, answer, checks, telemetry.

The prompt is byte-identical over repetitions and quants. A failed run is an outcome with a score of
0, never a missing number (T10); its times stay null with the outcome as the reason. Who asks the
model, we or a runner's command, makes no difference to what is judged and written down here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from orket_lib.artifacts.run_report import (
    Check,
    Observation,
    RunTelemetry,
    Session,
    TestRun,
)
from orket_lib.artifacts.spec import MeasurementSpec
from orket_lib.measure.asking import ask_model, unanswered
from orket_lib.measure.foreign_commands import cut_secrets
from orket_lib.measure.gpu_watch import NO_GPU_USED, says_main_memory
from orket_lib.measure.host_quality import NOT_JUDGED
from orket_lib.measure.opened import OpenSession
from orket_lib.measure.reply import Failure, Reply
from orket_lib.measure.runner import ask_runner, require_served
from orket_lib.tasks.answers import fingerprint
from orket_lib.tasks.bank import Task
from orket_lib.tasks.graders import NO_SANDBOX, NotRun, judge
from orket_lib.tasks.sandbox.jobs import Sandbox
from orket_lib.telemetry.fingerprint import is_remote
from orket_lib.telemetry.host import load_average, peak_rss_mib
from orket_lib.vocabulary.clock import utc_now
from orket_lib.vocabulary.compare import reaches
from orket_lib.vocabulary.errors import ServerCrashed
from orket_lib.vocabulary.faults import Fault
from orket_lib.vocabulary.nulls import Null
from orket_lib.vocabulary.rates import overhead_ratio
from orket_lib.vocabulary.reasons import Reason, Severity
from orket_lib.vocabulary.statuses import Outcome, Quality

_JUDGINGS = 3  # of one answer, before a sandbox that fails stops the measurement


@dataclass(frozen=True)
class _Judged:
    """What a reply is worth, and who says so."""

    outcome: Outcome
    score: float = 0.0
    checks: tuple[Check, ...] = ()
    unparseable: bool = False
    source: Literal["graders", "runner"] = "graders"


@dataclass(frozen=True)
class _Begun:
    """When a run began, and on how busy a host."""

    started_at: str
    load: float | Null
    at_s: float


class RunLost(ServerCrashed):
    """The server died during a run.

    Args:
        error: Its death.
        run: The run, as the failure that it is.
    """

    def __init__(self, error: ServerCrashed, run: TestRun) -> None:
        self.run = run
        super().__init__(str(error), error.evidence)


def run_task(
    opened: OpenSession, spec: MeasurementSpec, task: Task, run_index: int, runs: Path
) -> TestRun:
    """Ask one task once, grade the answer, and return all that was seen.

    Args:
        opened: The session.
        spec: How to ask, and who asks.
        task: The task.
        run_index: How many times it was asked before.
        runs: Where a runner's command has its folders.

    Raises:
        RunLost: The server died; the run is in the error, as the failure that it is.
        ConfigError: There is a runner, and its command can't be started at all.
        NotRun: The answer could not be judged, several times.
    """
    begun = _Begun(utc_now(), load_average(), opened.now_s())
    try:
        if spec.runner:
            reply = ask_runner(opened, spec, task, run_index, runs)
        else:
            reply = ask_model(opened, spec, task)
        window_s = (begun.at_s, opened.now_s())
        seen = (*reply.seen, *_disturbances(opened, spec, reply))
    except ServerCrashed as error:
        window_s = (begun.at_s, opened.now_s())
        lost = unanswered(opened, Failure(Outcome.ERROR, str(error), Fault.RESET))
        run = _test_run(opened, task, run_index, begun, window_s, lost, ())
        raise RunLost(error, run) from None
    return _test_run(opened, task, run_index, begun, window_s, reply, seen)


def _test_run(
    opened: OpenSession,
    task: Task,
    run_index: int,
    begun: _Begun,
    window_s: tuple[float, float],
    reply: Reply,
    seen: Sequence[Observation],
) -> TestRun:
    """Return a run as it is written down."""
    failure, judged = reply.failure, _judge(task, reply, opened.sandbox)
    text = None if failure or reply.text is None else cut_secrets(reply.text, reply.secrets)
    return TestRun(
        test_id=task.test_id,
        task_id=task.id,
        family=task.family,
        tier=task.tier,
        run_index=run_index,
        session=opened.record.index,
        started_at=begun.started_at,
        window_s=window_s,
        outcome=judged.outcome,
        outcome_detail=failure.detail if failure else "",
        fault=failure.fault if failure else None,
        answer=text,
        answer_sha256=None if text is None else fingerprint(text),
        finish_reason=reply.finish_reason,
        checks=judged.checks,
        unparseable=judged.unparseable,
        runner=reply.runner,
        telemetry=_telemetry(opened, reply, judged, seen, begun.load),
    )


def _disturbances(
    opened: OpenSession, spec: MeasurementSpec, reply: Reply
) -> tuple[Observation, ...]:
    """Return what else happened on the server; a runner's own requests are no foreign ones."""
    found = opened.disturbances()
    if not spec.runner:
        return found
    if reply.failure:
        require_served(opened)
    return tuple(item for item in found if item.reason is not Reason.FOREIGN_REQUESTS)


def _telemetry(
    opened: OpenSession,
    reply: Reply,
    judged: _Judged,
    observations: Sequence[Observation],
    load_start: float | Null,
) -> RunTelemetry:
    session, model, failure = opened.record, opened.model, reply.failure
    total = Null(f"RUN_{failure.outcome.upper()}") if failure else reply.total_s
    polluted = any(item.severity is not Severity.NOTE for item in observations)
    return RunTelemetry.of(
        init_latency=session.load.reading("load_seconds"),
        total_latency=total,
        peak_memory_rss=peak_rss_mib(model.pid),
        peak_vram_mib=_peak_vram(session),
        adherence_score=judged.score,
        score_source=judged.source,
        internal_model_seconds=reply.internal_s,
        orchestration_overhead_ratio=overhead_ratio(total, reply.internal_s),
        run_quality_status=Quality.POLLUTED if polluted else Quality.CLEAN,
        run_quality_reasons=observations,
        system_load_start=load_start,
        system_load_end=load_average(),
        host=NOT_JUDGED,
        experimental_controls={item.name: item.applied for item in session.controls},
        token_metrics_status=reply.metrics.status,
        token_metrics=reply.metrics,
    )


def _peak_vram(session: Session) -> Null:
    """Return why there is no peak: a server's word on its VRAM is an estimate, no reading (T12)."""
    if is_remote(session.machine):
        return Null("REMOTE_SERVER")
    unused = says_main_memory(session.served)
    return Null(NO_GPU_USED if unused else "VRAM_NOT_MEASURED")


def _judge(task: Task, reply: Reply, sandbox: Sandbox | None) -> _Judged:
    """Return what a reply is worth; an answer is graded by us whatever its author thinks of it.

    Raises:
        NotRun: It could not be judged, several times.
    """
    if reply.failure:
        return _Judged(reply.failure.outcome)
    if reply.text is None:
        assert reply.own_score is not None
        outcome = Outcome.PASS if reaches(reply.own_score, 1.0) else Outcome.FAIL
        return _Judged(outcome, reply.own_score, source="runner")
    grading = judge(task, reply.text, sandbox or NO_SANDBOX)
    for _ in range(1, _JUDGINGS):
        if grading.not_run is not None:
            grading = judge(task, reply.text, sandbox or NO_SANDBOX)
    if grading.adherence is None:
        raise NotRun(f"{task.test_id}: not run: {grading.not_run}")
    kept = tuple(
        check.model_copy(update={"detail": cut_secrets(check.detail, reply.secrets)})
        for check in grading.checks
    )
    outcome = Outcome.PASS if grading.passed else Outcome.FAIL
    return _Judged(outcome, grading.adherence, kept, grading.unparseable)
