"""A number that can't be a count, or a time, is missing and not small (T9)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from orket_lib.providers.base import TokenReport
from orket_lib.providers.wire.counts import without_placeholders

PROMPT = "the lamp stands by the door and the boat lies on the lake. " * 40  # 2,360 bytes
ANSWER = " lamp" * 128
WHOLE = TokenReport(prompt=507, cached=0, uncached=507, output=128, prefill_s=0.5, decode_s=2.5)


def changes(found: TokenReport, **sent: Any) -> dict[str, Any]:
    """Return what is not as it was sent."""
    before = replace(WHOLE, **sent)
    return {name: value for name, value in vars(found).items() if value != getattr(before, name)}


NO_PROMPT = {"prompt": None, "cached": None, "uncached": None}
PLACEHOLDERS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "no prompt tokens": ({"prompt": 0, "cached": None, "uncached": None}, {"prompt": None}),
    "no prompt tokens, none cached": ({"prompt": 0, "cached": 0, "uncached": 0}, NO_PROMPT),
    "one prompt token": ({"prompt": 1, "cached": None, "uncached": None}, {"prompt": None}),
    "no output tokens": ({"output": 0}, {"output": None}),
    "one output token": ({"output": 1}, {"output": None}),
    "all zero": (
        {"prompt": 0, "cached": 0, "uncached": 0, "output": 0, "prefill_s": 0.0, "decode_s": 0.0},
        {**NO_PROMPT, "output": None, "prefill_s": None, "decode_s": None},
    ),
    "no time for a prompt": ({"prefill_s": 0.0}, {"prefill_s": None}),
    "no time for an answer": ({"decode_s": 0.0}, {"decode_s": None}),
    "no time for an uncounted answer": ({"output": None, "decode_s": 0.0}, {"decode_s": None}),
}


@pytest.mark.parametrize("name", PLACEHOLDERS)
def test_a_placeholder_is_none(name: str) -> None:
    sent, expected = PLACEHOLDERS[name]
    found = without_placeholders(replace(WHOLE, **sent), PROMPT, ANSWER, 128)
    assert changes(found, **sent) == expected


COUNTS: dict[str, dict[str, Any]] = {
    "as counted": {},
    "nothing reported": dict.fromkeys(vars(WHOLE)) | {"note": ""},
    "a prompt that the server cut": {"prompt": 100, "uncached": 100},
    "a prompt that it cut to almost nothing": {"prompt": 10, "uncached": 10},
    "a prompt that was cached whole": {"cached": 507, "uncached": 0, "prefill_s": 0.0},
    "nothing cached": {"cached": 0},
    "an answer of one token": {"output": 1, "decode_s": 0.0, "answer": "yes", "chunks": 1},
    "an answer without text": {"output": 0, "decode_s": 0.0, "answer": "", "chunks": 0},
    "an answer that ended at once": {"output": 1, "decode_s": 0.0, "answer": "", "chunks": 0},
    "one token of many blanks": {"output": 1, "answer": " " * 60, "chunks": 1},
    "letter by letter": {"output": 26, "chunks": 128, "answer": "a" * 128},
    "hidden reasoning": {"output": 900},
    "a short prompt": {"prompt": 1, "uncached": 1, "prompt_text": "a"},
}


@pytest.mark.parametrize("name", COUNTS)
def test_a_count_stays(name: str) -> None:
    sent = dict(COUNTS[name])
    text = {
        "answer": sent.pop("answer", ANSWER),
        "chunks": sent.pop("chunks", 128),
        "prompt": sent.pop("prompt_text", PROMPT),
    }
    expected = replace(WHOLE, **sent)
    assert (
        without_placeholders(expected, text["prompt"], text["answer"], text["chunks"]) == expected
    )
