"""Whether a server switches the model's reasoning as requested, judged by an answer.

No server reports it, and many ignore fields that they don't know. So a question is asked, and the
answer shows whether the model reasons. Templates that ignore the switch are found in this way, too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from orket_lib.artifacts.measurements.spec import Thinking
from orket_lib.artifacts.views.run_report import ControlReadback
from orket_lib.providers.base import Generation, GenerationRequest
from orket_lib.vocabulary.errors import Fault, RequestFailed

_NAME = "thinking"
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
