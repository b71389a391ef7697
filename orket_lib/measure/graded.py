"""One task, once: request, answer, checks, telemetry.

The prompt is byte-identical over repetitions and quants. A failed run is an outcome with a score of
0, never a missing number (T10); its times stay null with the outcome as the reason.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from orket_lib.artifacts.run_report import (
    Check,
    Observation,
    RunTelemetry,
    Session,
    TestRun,
)
from orket_lib.artifacts.spec import MeasurementSpec
from orket_lib.artifacts.tokens import TokenMetrics
from orket_lib.measure.host_quality import NOT_JUDGED
from orket_lib.measure.opened import OpenSession
from orket_lib.measure.tokens import Tokens
from orket_lib.providers.base import NO_GENERATION, Generation, GenerationRequest, Model
from orket_lib.tasks.answers import fingerprint
from orket_lib.tasks.bank import Task
from orket_lib.tasks.graders import grade
from orket_lib.telemetry.host import load_average, peak_rss_mib
from orket_lib.vocabulary.clock import utc_now
from orket_lib.vocabulary.errors import RequestFailed, RequestTimedOut
from orket_lib.vocabulary.faults import Fault
from orket_lib.vocabulary.nulls import Null
from orket_lib.vocabulary.rates import overhead_ratio
from orket_lib.vocabulary.reasons import Reason, Severity
from orket_lib.vocabulary.statuses import Outcome, Quality, TokenStatus


@dataclass(frozen=True)
class _Answered:
    """What came back for one request."""

    outcome: Outcome
    detail: str
    generation: Generation
    checks: tuple[Check, ...]
    fault: Fault | None = None


def run_task(opened: OpenSession, spec: MeasurementSpec, task: Task, run_index: int) -> TestRun:
    """Ask one task once, grade the answer, and return all that was seen.

    Raises:
        ServerCrashed: The server is gone; nothing can be said about this task.
    """
    session = opened.record
    started, load_start, begin_s = utc_now(), load_average(), opened.now_s()
    answered = _ask(opened.model, spec, task)
    window_s = (begin_s, opened.now_s())
    tokens = Tokens.of(answered.generation, session.decode_clock)
    passed = answered.outcome is Outcome.PASS
    graded = answered.outcome in (Outcome.PASS, Outcome.FAIL)
    observations = (
        *_observations(answered, tokens, session),
        *opened.model.disturbances(),
    )
    total = tokens.total_s if graded else Null(f"RUN_{answered.outcome.upper()}")
    metrics = tokens.metrics()
    return TestRun(
        test_id=task.test_id,
        task_id=task.id,
        family=task.family,
        tier=task.tier,
        run_index=run_index,
        session=session.index,
        started_at=started,
        window_s=window_s,
        outcome=answered.outcome,
        outcome_detail=answered.detail,
        fault=answered.fault,
        answer=answered.generation.text if graded else None,
        answer_sha256=fingerprint(answered.generation.text) if graded else None,
        finish_reason=answered.generation.finish_reason,
        checks=answered.checks,
        telemetry=_telemetry(
            opened.model, session, metrics, tokens, observations, total, float(passed), load_start
        ),
    )


def _ask(model: Model, spec: MeasurementSpec, task: Task) -> _Answered:
    request = GenerationRequest(
        prompt=task.prompt,
        max_tokens=spec.max_output_tokens,
        temperature=spec.temperature,
        seed=spec.controls.seed,
        timeout_s=spec.task_timeout_sec,
    )
    try:
        generation = model.generate(request)
    except RequestTimedOut as error:
        return _Answered(Outcome.TIMEOUT, str(error), NO_GENERATION, ())
    except RequestFailed as error:
        return _Answered(Outcome.ERROR, str(error), NO_GENERATION, (), error.fault)
    checks = grade(task, generation.text)
    passed = all(check.passed for check in checks)
    return _Answered(Outcome.PASS if passed else Outcome.FAIL, "", generation, checks)


def _telemetry(
    model: Model,
    session: Session,
    metrics: TokenMetrics,
    tokens: Tokens,
    observations: Sequence[Observation],
    total: float | Null,
    score: float,
    load_start: float | Null,
) -> RunTelemetry:
    polluted = any(item.severity is not Severity.NOTE for item in observations)
    return RunTelemetry.of(
        init_latency=session.load.reading("load_seconds"),
        total_latency=total,
        peak_memory_rss=peak_rss_mib(model.pid),
        peak_vram_mib=Null("NO_GPU_USED"),
        adherence_score=score,
        internal_model_seconds=tokens.internal_s,
        orchestration_overhead_ratio=overhead_ratio(total, tokens.internal_s),
        run_quality_status=Quality.POLLUTED if polluted else Quality.CLEAN,
        run_quality_reasons=observations,
        system_load_start=load_start,
        system_load_end=load_average(),
        host=NOT_JUDGED,
        experimental_controls={item.name: item.applied for item in session.controls},
        token_metrics_status=metrics.status,
        token_metrics=metrics,
    )


def _observations(answered: _Answered, tokens: Tokens, session: Session) -> list[Observation]:
    """Return what was wrong with a run that ended, each with its evidence."""
    found = []
    graded = answered.outcome in (Outcome.PASS, Outcome.FAIL)
    if graded and tokens.status is not TokenStatus.OK:
        found.append(
            Observation.of(Reason.MISSING_TOKEN_TIMINGS, answered.detail or tokens.status.value)
        )
    used = _context_used(tokens)
    n_ctx = session.served.n_ctx
    if answered.generation.truncated:
        found.append(Observation.of(Reason.CONTEXT_TRUNCATED, "the server says that it cut it"))
    elif n_ctx and used is not None and used >= n_ctx:
        found.append(
            Observation.of(Reason.CONTEXT_TRUNCATED, f"{used} tokens in a context of {n_ctx}")
        )
    return found


def _context_used(tokens: Tokens) -> int | None:
    if isinstance(tokens.prompt, Null) or isinstance(tokens.output, Null):
        return None
    return tokens.prompt + tokens.output
