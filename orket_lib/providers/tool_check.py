"""Whether a served model can be offered tools, before any task depends on it.

A server refuses tools, or drops them silently because the chat template has no place for them. The
model would then answer without having seen them, which says nothing about it.
"""

from __future__ import annotations

from dataclasses import replace

from orket_lib.providers.base import GenerationRequest, Model
from orket_lib.vocabulary.errors import REFUSALS, RequestFailed
from orket_lib.vocabulary.null_reasons import NullReason

_QUESTION = GenerationRequest("Say yes.", max_tokens=1, temperature=0.0, seed=None, timeout_s=300.0)
_TOOL = {
    "name": "say",
    "description": "Say a word.",
    "parameters": {
        "type": "object",
        "properties": {"word": {"type": "string", "description": "The word."}},
        "required": ["word"],
    },
}


def tool_gap(model: Model) -> NullReason | None:
    """Return why a model can't be offered tools; None if it can.

    Where the server doesn't say it, the same question is asked with a tool and without: a prompt
    that is no longer with the tool doesn't contain it.

    Raises:
        RequestFailed, RequestTimedOut: The server fails for another reason.
    """
    takes = model.takes_tools()
    if takes is not None:
        return None if takes else NullReason.TOOLS_NOT_IN_TEMPLATE
    plain = model.generate(_QUESTION).tokens.prompt
    try:
        longer = model.generate(replace(_QUESTION, tools=(_TOOL,))).tokens.prompt
    except RequestFailed as error:
        if error.fault not in REFUSALS:
            raise
        return NullReason.TOOLS_REFUSED
    dropped = plain is not None and longer is not None and longer <= plain
    return NullReason.TOOLS_NOT_IN_TEMPLATE if dropped else None
