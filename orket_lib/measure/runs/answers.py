"""Asks a task once and records answer and telemetry; grading comes later.

The prompt is byte-identical for all repetitions and quants. A failed run is an outcome that scores
0, never a missing number (T10); its times are null, with the outcome as the reason. The record is
the same whether we ask the model or a runner does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from orket_lib.artifacts.measurements.parts import Answer
from orket_lib.artifacts.measurements.spec import MeasurementSpec
from orket_lib.artifacts.measurements.tool_calls import with_calls
from orket_lib.artifacts.views.run_report import AnswerTelemetry, Observation, Reasoning, Session
from orket_lib.measure.quality.host_verdicts import NOT_JUDGED
from orket_lib.measure.runs.ask_model import Failure, Reply, ask_model, unanswered
from orket_lib.measure.runs.runner import ask_runner, require_served
from orket_lib.measure.session.gpu_watch import NO_GPU_USED, says_main_memory
from orket_lib.measure.session.session import OpenSession
from orket_lib.processes.command_template import cut_secrets
from orket_lib.tasks.answers import fingerprint
from orket_lib.tasks.bank import Task
from orket_lib.telemetry.fingerprint import is_remote
from orket_lib.telemetry.host import load_average, peak_rss_mib
from orket_lib.vocabulary.clock import utc_now
from orket_lib.vocabulary.errors import Fault, ServerCrashed
from orket_lib.vocabulary.nulls import Null
from orket_lib.vocabulary.rates import overhead_ratio
from orket_lib.vocabulary.reasons import Reason, Severity
from orket_lib.vocabulary.statuses import Outcome, Quality

# Shorter keys are often ordinary words, which must not be cut out of an answer before grading.
_SHORTEST_SECRET = 8
# Reasoning may be a hundred times longer than the answer; its end shows where it stopped.
_REASONING_KEPT = 2000


@dataclass(frozen=True)
class _Begun:
    """The start of a run, with the load of the host."""

    started_at: str
    load: float | Null
    at_s: float


@dataclass(frozen=True)
class Turn:
    """The repetition of a task.

    Attributes:
        key: Digest of the task as it is sent.
        run_index: Within the round, from 0.
        round: From 1.
    """

    key: str
    run_index: int
    round: int = 1


class RunLost(ServerCrashed):
    """The server died during a run.

    Args:
        error: The crash.
        answer: The failed run.
    """

    def __init__(self, error: ServerCrashed, answer: Answer) -> None:
        self.answer = answer
        super().__init__(str(error), error.evidence)


def ask_task(
    opened: OpenSession, spec: MeasurementSpec, task: Task, turn: Turn, runs: Path
) -> Answer:
    """Ask a task once, and return the record.

    Args:
        opened: The session.
        spec: With the settings, and the runner if there is one.
        task: The task.
        turn: Which repetition it is.
        runs: Folder of a runner's runs.

    Raises:
        RunLost: The server died; the error has the failed run.
        ConfigError: The runner's command can't be started.
    """
    begun = _Begun(utc_now(), load_average(), opened.now_s())
    try:
        if spec.runner:
            reply = ask_runner(opened, spec, task, turn.run_index, runs)
        else:
            reply = ask_model(opened, spec, task)
        window_s = (begun.at_s, opened.now_s())
        seen = (*reply.seen, *_disturbances(opened, spec, reply))
    except ServerCrashed as error:
        window_s = (begun.at_s, opened.now_s())
        lost = unanswered(opened, Failure(Outcome.ERROR, str(error), Fault.RESET))
        answer = _answer(opened, task, turn, begun, window_s, lost, ())
        raise RunLost(error, answer) from error
    return _answer(opened, task, turn, begun, window_s, reply, seen)


def _answer(
    opened: OpenSession,
    task: Task,
    turn: Turn,
    begun: _Begun,
    window_s: tuple[float, float],
    reply: Reply,
    seen: Sequence[Observation],
) -> Answer:
    """Return the record of a run."""
    failure = reply.failure
    secrets = [secret for secret in reply.secrets if len(secret) >= _SHORTEST_SECRET]
    text = None
    if reply.text is not None and not failure:
        calls = reply.tool_calls if task.tools else ()
        text = cut_secrets(with_calls(reply.text, calls), secrets)
    return Answer(
        key=turn.key,
        round=turn.round,
        run_index=turn.run_index,
        test_id=task.test_id,
        task_id=task.id,
        session=opened.record.index,
        started_at=begun.started_at,
        window_s=window_s,
        failed=failure.outcome if failure else None,
        failed_detail=failure.detail if failure else "",
        fault=failure.fault if failure else None,
        not_asked=reply.not_asked,
        answer=text,
        tool_calls=reply.tool_calls,
        answer_sha256=None if text is None else fingerprint(text),
        finish_reason=reply.finish_reason,
        reasoning=_reasoning(cut_secrets(reply.reasoning, secrets)),
        own_score=None if failure or text is not None else reply.own_score,
        runner=reply.runner,
        telemetry=_telemetry(opened, reply, seen, begun.load),
    )


def _reasoning(text: str) -> Reasoning | None:
    return Reasoning(characters=len(text), end=text[-_REASONING_KEPT:]) if text.strip() else None


def _disturbances(
    opened: OpenSession, spec: MeasurementSpec, reply: Reply
) -> tuple[Observation, ...]:
    """Return what else happened on the server; a runner's own requests are not foreign."""
    found = opened.disturbances()
    if not spec.runner:
        return found
    if reply.failure:
        require_served(opened)
    return tuple(item for item in found if item.reason is not Reason.FOREIGN_REQUESTS)


def _telemetry(
    opened: OpenSession,
    reply: Reply,
    observations: Sequence[Observation],
    load_start: float | Null,
) -> AnswerTelemetry:
    session, model, failure = opened.record, opened.model, reply.failure
    total = Null(f"RUN_{failure.outcome.upper()}") if failure else reply.total_s
    if reply.not_asked:
        total = Null(reply.not_asked)
    polluted = any(item.severity is not Severity.NOTE for item in observations)
    return AnswerTelemetry.of(
        init_latency=session.load.reading("load_seconds"),
        total_latency=total,
        peak_memory_rss=peak_rss_mib(model.pid),
        peak_vram_mib=_peak_vram(session),
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
    """Return why there is no peak: a server's VRAM figure is an estimate, not a reading (T12)."""
    if is_remote(session.machine):
        return Null("REMOTE_SERVER")
    unused = says_main_memory(session.served)
    return Null(NO_GPU_USED if unused else "VRAM_NOT_MEASURED")
