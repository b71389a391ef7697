"""Whether a server switches the model's reasoning as requested, judged by an answer.

No server reports it, and many ignore fields that they don't know. So a question is asked, and the
answer shows whether the model reasons. Templates that ignore the switch are found in this way, too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from orket_lib.artifacts.measurements.spec import MeasurementSpec, Thinking
from orket_lib.artifacts.views.run_report import ControlReadback
from orket_lib.providers.base import Generation, GenerationRequest
from orket_lib.vocabulary.errors import Fault, RequestFailed, RequestTimedOut

_NAME, _BUDGET = "thinking", "thinking_budget"
# A server may first end the word that it is in, and say why it ends.
BUDGET_SLACK = 16
_TRIED = 16  # tokens; no model reasons about the question in fewer
# Long enough to show how an answer begins.
_QUESTION = GenerationRequest(
    "A train leaves at 9:40 and arrives at 12:25. How many minutes does it take?",
    max_tokens=16,
    temperature=0.0,
    seed=None,
    timeout_s=300.0,
)


def thinking_readback(
    generate: Callable[[GenerationRequest], Generation], asked: Thinking
) -> ControlReadback:
    """Return whether the model reasons as requested.

    Args:
        generate: Sends a request to the served model; errors other than a refusal are passed on.
        asked: Of the config.
    """
    try:
        answer = generate(replace(_QUESTION, thinking=asked == "on"))
    except RequestFailed as error:
        if error.fault is not Fault.REJECTED:
            raise
        return not_switched(asked, f"the server refuses it: {error}")
    applied = "on" if answer.reasoned else "off"
    how = "began with reasoning" if answer.reasoned else "came without reasoning"
    return ControlReadback(
        name=_NAME,
        requested=asked,
        applied=applied,
        held=applied == asked,
        source=f"the answer to a question {how}",
    )


def budget_readback(
    generate: Callable[[GenerationRequest], Generation],
    count_tokens: Callable[[str], int | None],
    spec: MeasurementSpec,
) -> ControlReadback:
    """Return whether the server ends the reasoning after a budget.

    A small budget is tried, because most answers need less than the one that is asked for.

    Args:
        generate: Sends a request to the served model; errors other than a refusal are passed on.
        count_tokens: Of the server; None where it has no such route.
        spec: With the budget.
    """
    budget = min(_TRIED, spec.thinking_budget or _TRIED)
    question = replace(
        _QUESTION,
        thinking=None if spec.thinking is None else spec.thinking == "on",
        thinking_budget=budget,
        max_tokens=budget + 2 * BUDGET_SLACK,
    )
    try:
        answer = thinking_counted(count_tokens, generate(question))
    except RequestFailed as error:
        if error.fault is not Fault.REJECTED:
            raise
        return no_budget(spec, f"the server refuses it: {error}")
    if not answer.reasoned:
        return no_budget(spec, "the answer to a question came without reasoning to limit")
    tokens = answer.tokens.thinking
    if tokens is None:
        return no_budget(spec, "the server doesn't count the tokens of reasoning")
    held = tokens <= budget + BUDGET_SLACK
    asked = str(spec.thinking_budget)
    return ControlReadback(
        name=_BUDGET,
        requested=asked,
        applied=asked if held else None,
        held=held,
        source=f"with a budget of {budget}, the answer to a question reasoned for {tokens} tokens",
    )


def no_budget(spec: MeasurementSpec, why: str) -> ControlReadback:
    """Return the read-back of a budget that is not seen to be applied."""
    return ControlReadback(
        name=_BUDGET, requested=str(spec.thinking_budget), applied=None, held=False, source=why
    )


def thinking_counted(
    count_tokens: Callable[[str], int | None], generation: Generation
) -> Generation:
    """Return an answer with its tokens of reasoning counted, where that is possible.

    Most servers count them with the answer. Then their own tokenizer counts the text that they
    sent as reasoning; the tokens that end it are not in it.

    Args:
        count_tokens: Of the server; None where it has no such route.
        generation: The answer.
    """
    if generation.tokens.thinking or not generation.reasoned:
        return generation
    try:
        found = count_tokens(generation.thoughts)
    except (RequestFailed, RequestTimedOut):
        found = None
    output = generation.tokens.output
    if found is not None and output is not None:
        found = min(found, output)  # a text may be other tokens than those it was generated as
    return replace(generation, tokens=replace(generation.tokens, thinking=found))


def not_switched(asked: Thinking, why: str) -> ControlReadback:
    """Return the read-back of a server or model that has no such switch."""
    return ControlReadback(name=_NAME, requested=asked, applied=None, held=False, source=why)


def as_accepted(
    request: GenerationRequest, controls: Iterable[ControlReadback]
) -> GenerationRequest:
    """Return a request without the switch if the server refuses it.

    Args:
        request: The request.
        controls: The controls of its session, as they were read back.
    """
    refused = any(item.name == _NAME and item.applied is None for item in controls)
    return replace(request, thinking=None) if refused else request
