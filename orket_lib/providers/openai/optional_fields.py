"""Which fields of a request a server takes, found out with requests of a few tokens.

A field that is refused is left out, and a length that is not kept is not asked for: what is sent in
a measured request is what the server was seen to take.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace

from orket_lib.providers.base import Generation, GenerationRequest
from orket_lib.providers.openai.client import (
    CACHE_PROMPT,
    CACHE_SALT,
    EXTRAS,
    IGNORE_EOS,
    MIN_TOKENS,
    SEED,
    USAGE,
)
from orket_lib.vocabulary.errors import Fault, RequestFailed

Ask = Callable[[GenerationRequest, Collection[str]], Generation]

# How a kind of server is kept from serving a prompt from its cache, by the owner of its models.
_WITHOUT_CACHE = {"vllm": CACHE_SALT, "sglang": CACHE_SALT, "llamacpp": CACHE_PROMPT}
_LENGTH = 24  # longer than any model's answer to the question
_PATIENCE_S = 300.0  # the first answer of a server may take its time
_QUESTION = GenerationRequest(
    "Say yes.", max_tokens=1, temperature=0.0, seed=1, timeout_s=_PATIENCE_S
)


def accepted_extras(ask: Ask, owner: str | None) -> tuple[str, ...]:
    """Return which fields beyond the common ones a server takes.

    Args:
        ask: Sends a request with these extras.
        owner: Whose model it is, as the server's list of models says.

    Raises:
        RequestFailed, RequestTimedOut: The server takes not even a plain request.
    """
    without_cache = _WITHOUT_CACHE.get(owner or "")
    taken = [USAGE, SEED, *([without_cache] if without_cache else [])]
    if not _takes(ask, taken):
        ask(_QUESTION, ())
        taken = [name for name in taken if _takes(ask, [name])]
    length = next((name for name in (IGNORE_EOS, MIN_TOKENS) if _keeps(ask, taken, name)), None)
    return tuple(name for name in EXTRAS if name in taken or name == length)


def _takes(ask: Ask, names: Collection[str]) -> bool:
    try:
        ask(_QUESTION, names)
    except RequestFailed as error:
        if error.fault is Fault.REJECTED:
            return False
        raise
    return True


def _keeps(ask: Ask, taken: Collection[str], name: str) -> bool:
    """Tell whether a server takes a field for a fixed length, and answers at that length."""
    request = replace(_QUESTION, max_tokens=_LENGTH, ignore_eos=True)
    try:
        return ask(request, [*taken, name]).tokens.output == _LENGTH
    except RequestFailed as error:
        if error.fault is Fault.REJECTED:
            return False
        raise
