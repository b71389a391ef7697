"""Asking a task ourselves: one request to the model, and what was wrong with its answer."""

from __future__ import annotations

from collections.abc import Iterator

from orket_lib.artifacts.measurements.spec import MeasurementSpec
from orket_lib.artifacts.views.run_report import Observation, Session
from orket_lib.measure.runs.model_reply import Failure, Reply
from orket_lib.measure.session.open_session import OpenSession
from orket_lib.measure.speed.token_metrics import Tokens
from orket_lib.providers.base import NO_GENERATION, Generation, GenerationRequest
from orket_lib.tasks.bank import Task
from orket_lib.vocabulary.errors import RequestFailed, RequestTimedOut
from orket_lib.vocabulary.nulls import Null
from orket_lib.vocabulary.reasons import Reason
from orket_lib.vocabulary.statuses import Outcome, TokenStatus


def ask_model(opened: OpenSession, spec: MeasurementSpec, task: Task) -> Reply:
    """Ask the session's model one task, and return what came of it.

    Raises:
        ServerCrashed: The server is gone.
    """
    request = GenerationRequest(
        prompt=task.prompt,
        max_tokens=spec.max_output_tokens,
        temperature=spec.temperature,
        seed=spec.controls.seed,
        timeout_s=spec.task_timeout_sec,
    )
    try:
        generation = opened.model.generate(request)
    except RequestTimedOut as error:
        return unanswered(opened, Failure(Outcome.TIMEOUT, str(error)))
    except RequestFailed as error:
        return unanswered(opened, Failure(Outcome.ERROR, str(error), error.fault))
    tokens = Tokens.of(generation, opened.record.decode_clock)
    return Reply(
        metrics=tokens.metrics(),
        total_s=tokens.total_s,
        internal_s=tokens.internal_s,
        text=generation.text,
        finish_reason=generation.finish_reason,
        seen=tuple(_observations(generation, tokens, opened.record)),
    )


def unanswered(opened: OpenSession, failure: Failure) -> Reply:
    """Return what is left of a question that was not answered."""
    tokens = Tokens.of(NO_GENERATION, opened.record.decode_clock)
    return Reply(
        metrics=tokens.metrics(),
        total_s=tokens.total_s,
        internal_s=tokens.internal_s,
        failure=failure,
    )


def _observations(
    generation: Generation, tokens: Tokens, session: Session
) -> Iterator[Observation]:
    """Yield what was wrong with a run that ended, each with its evidence."""
    if tokens.status is not TokenStatus.OK:
        yield Observation.of(Reason.MISSING_TOKEN_TIMINGS, tokens.status.value)
    used = _context_used(tokens)
    n_ctx = session.served.n_ctx
    if generation.truncated:
        yield Observation.of(Reason.CONTEXT_TRUNCATED, "the server says that it cut it")
    elif n_ctx and used is not None and used >= n_ctx:
        yield Observation.of(Reason.CONTEXT_TRUNCATED, f"{used} tokens in a context of {n_ctx}")


def _context_used(tokens: Tokens) -> int | None:
    if isinstance(tokens.prompt, Null) or isinstance(tokens.output, Null):
        return None
    return tokens.prompt + tokens.output
