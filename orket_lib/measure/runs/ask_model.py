"""Asks a task with one request to the model."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from orket_lib.artifacts.measurements.runner import RunnerRun
from orket_lib.artifacts.measurements.spec import MeasurementSpec
from orket_lib.artifacts.measurements.tokens import TokenMetrics
from orket_lib.artifacts.measurements.tool_calls import ToolCall
from orket_lib.artifacts.views.run_report import Observation, Session
from orket_lib.measure.request import request_for
from orket_lib.measure.session.session import OpenSession
from orket_lib.measure.speed.token_metrics import NO_COUNT, Tokens
from orket_lib.providers.base import NO_GENERATION, Generation
from orket_lib.providers.thinking_check import BUDGET_SLACK, thinking_counted
from orket_lib.tasks.bank import Task
from orket_lib.vocabulary.errors import Fault, RequestFailed, RequestTimedOut
from orket_lib.vocabulary.null_reasons import NullReason
from orket_lib.vocabulary.nulls import Null, all_of
from orket_lib.vocabulary.reasons import Reason
from orket_lib.vocabulary.statuses import Outcome, TokenStatus

KEY_REPEATED = "the server repeated the API key; `${ENV:...}` stands for it here"


@dataclass(frozen=True)
class Failure:
    """Why there is no answer: `outcome` is an error or a timeout."""

    outcome: Outcome
    detail: str
    fault: Fault | None = None


@dataclass(frozen=True)
class Reply:
    """The reply to a question, from the model or a runner, before grading.

    Attributes:
        metrics: Token metrics.
        total_s: From the question to the end of the answer, by our clock.
        internal_s: Time inside the model.
        text: The answer.
        tool_calls: Calls that the server reports apart from the text.
        not_asked: Why the model could not be asked; there is then no failure.
        own_score: Score of a runner that doesn't return its answer, from 0 to 1.
        failure: Why there is neither.
        finish_reason: As reported by the server.
        reasoning: What the server sent as reasoning.
        seen: Observations, with evidence.
        secrets: Secrets to remove from the answer.
        runner: Record of a runner's command.
    """

    metrics: TokenMetrics
    total_s: float | Null
    internal_s: float | Null
    text: str | None = None
    tool_calls: tuple[ToolCall, ...] = ()
    not_asked: NullReason | None = None
    own_score: float | None = None
    failure: Failure | None = None
    finish_reason: str | None = None
    reasoning: str = ""
    seen: tuple[Observation, ...] = ()
    secrets: tuple[str, ...] = ()
    runner: RunnerRun | None = None


def ask_model(opened: OpenSession, spec: MeasurementSpec, task: Task) -> Reply:
    """Ask the session's model a task, and return its reply.

    Raises:
        ServerCrashed: The server is gone.
    """
    request = request_for(spec, task.prompt, spec.max_output_tokens)
    try:
        if task.tools and opened.tool_gap:
            return replace(unanswered(opened), not_asked=opened.tool_gap)
        generation = opened.model.generate(replace(request, tools=task.offered))
        generation = thinking_counted(opened.model.count_tokens, generation)
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
        tool_calls=generation.tool_calls,
        finish_reason=generation.finish_reason,
        reasoning=generation.reasoning,
        seen=tuple(_observations(generation, tokens, opened.record, spec)),
    )


def unanswered(opened: OpenSession, failure: Failure | None = None) -> Reply:
    """Return the reply for a question that was not answered."""
    tokens = Tokens.of(NO_GENERATION, opened.record.decode_clock)
    return Reply(
        metrics=tokens.metrics(),
        total_s=tokens.total_s,
        internal_s=tokens.internal_s,
        failure=failure,
    )


def _observations(
    generation: Generation, tokens: Tokens, session: Session, spec: MeasurementSpec
) -> Iterator[Observation]:
    """Yield the problems of a finished run, with evidence."""
    if tokens.status is not TokenStatus.OK:
        yield Observation.of(Reason.MISSING_TOKEN_TIMINGS, tokens.gap)
    if generation.key_hidden:
        yield Observation.of(Reason.API_KEY_REPEATED, KEY_REPEATED)
    if spec.thinking == "off" and generation.reasoned:
        evidence = "thinking: asked for off, but the answer began with reasoning"
        yield Observation.of(Reason.MISSING_EXPERIMENTAL_CONTROLS, evidence)
    budget, thought = spec.thinking_budget, tokens.thinking
    if budget and not isinstance(thought, Null) and thought > budget + BUDGET_SLACK:
        evidence = f"thinking_budget: asked for {budget}, but the answer reasoned for {thought}"
        yield Observation.of(Reason.MISSING_EXPERIMENTAL_CONTROLS, evidence)
    used = all_of((tokens.prompt, tokens.output), sum, NO_COUNT)
    n_ctx = session.served.n_ctx
    if generation.truncated:
        yield Observation.of(Reason.CONTEXT_TRUNCATED, "the server says that it truncated the text")
    elif n_ctx and not isinstance(used, Null) and used >= n_ctx:
        yield Observation.of(Reason.CONTEXT_TRUNCATED, f"{used} tokens in a context of {n_ctx}")
