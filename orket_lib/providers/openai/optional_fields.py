"""Finds out which optional request fields a server accepts, with requests of a few tokens.

A field that is refused, or a fixed length that is not kept, is left out: a measured request has
only fields that the server was seen to accept.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace

from orket_lib.providers.base import Generation, GenerationRequest
from orket_lib.providers.openai.client import (
    BUDGETS,
    CACHE_PROMPT,
    CACHE_SALT,
    EXTRAS,
    IGNORE_EOS,
    MIN_TOKENS,
    SEED,
    THINKING,
    USAGE,
)
from orket_lib.vocabulary.errors import REFUSALS, RequestFailed

Ask = Callable[[GenerationRequest, Collection[str]], Generation]

# The field that keeps a server from using its prompt cache, by the owner of its models.
_WITHOUT_CACHE = {"vllm": CACHE_SALT, "sglang": CACHE_SALT, "llamacpp": CACHE_PROMPT}
_LENGTH = 24  # longer than any model's answer to the question
_PATIENCE_S = 300.0  # the first answer of a server may be slow
_QUESTION = GenerationRequest(
    "Say yes.", max_tokens=1, temperature=0.0, seed=1, timeout_s=_PATIENCE_S
)


def accepted_extras(
    ask: Ask, owner: str | None, thinking: bool | None = None, budget: int | None = None
) -> tuple[str, ...]:
    """Return which fields beyond the common ones a server accepts.

    Args:
        ask: Sends a request with these extras.
        owner: Of the model, from the server's list of models.
        thinking: Whether reasoning is to be switched on or off; None tries no field for that.
        budget: Tokens to which reasoning is to be limited; None tries no field for that.

    Raises:
        RequestFailed, RequestTimedOut: The server doesn't even accept a plain request.
    """
    without_cache = _WITHOUT_CACHE.get(owner or "")
    accepted = [USAGE, SEED, *([without_cache] if without_cache else [])]
    if not _answer(ask, _QUESTION, accepted):
        ask(_QUESTION, ())
        accepted = [name for name in accepted if _answer(ask, _QUESTION, [name])]
    fixed = replace(_QUESTION, max_tokens=_LENGTH, ignore_eos=True)
    for name in (IGNORE_EOS, MIN_TOKENS):
        answer = _answer(ask, fixed, [*accepted, name])
        if answer and answer.tokens.output == _LENGTH:
            accepted.append(name)
            break
    asked = replace(_QUESTION, thinking=thinking, thinking_budget=budget)
    if thinking is not None:
        accepted += [name for name in THINKING if _answer(ask, asked, [*accepted, name])]
    if budget is not None:
        accepted += [name for name in BUDGETS if _answer(ask, asked, [*accepted, name])]
    return tuple(name for name in EXTRAS if name in accepted)


def _answer(ask: Ask, request: GenerationRequest, names: Collection[str]) -> Generation | None:
    """Return the answer to a request with some fields; None when the server refuses them."""
    try:
        return ask(request, names)
    except RequestFailed as error:
        if error.fault in REFUSALS:
            return None
        raise
