from __future__ import annotations

import json

import pytest

from orket_lib.vocabulary.text import well_formed


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("grün \U0001f600", "grün \U0001f600"),
        (json.loads('"a\\ud83d"'), "a\ufffd"),
        (json.loads('"\\ude00b"'), "\ufffdb"),
        (json.loads('"\\ud83d"') + json.loads('"\\ude00"'), "\U0001f600"),
        (json.loads('"\\ud83d\\ud83d\\ude00"'), "\ufffd\U0001f600"),
    ],
)
def test_what_utf8_cannot_hold_is_replaced(text: str, expected: str) -> None:
    assert well_formed(text) == expected
    assert well_formed(text).encode()
