"""Answers that attack whoever judges them: a verdict comes of each, and a line in the journal.

An answer that could end the measuring process would end it again at each start: its cell could
never be finished.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from builders import run

from orket_lib.measure.journal.journal import ANSWER, Journal
from orket_lib.sandbox.detect import Unavailable, find_sandbox
from orket_lib.sandbox.inside.values import encode
from orket_lib.sandbox.jobs import Sandbox
from orket_lib.tasks.grading.graders import NO_SANDBOX, Grading, judge
from orket_lib.tasks.task import StructuredTask

CALLED = {"type": "function_examples", "function_name": "f", "examples": [{"expected": 1}]}
RAISES = CALLED | {"examples": [{"raises": "ValueError"}]}
STARTED = {"type": "cli_examples", "examples": [{"expected_stdout": "1\n"}]}
CLOSED = {"type": "json_schema", "schema": {"additionalProperties": False}}


@pytest.fixture(scope="module", params=["bubblewrap", "namespaces", "rlimits"])
def sandbox(request: pytest.FixtureRequest) -> Sandbox:
    """Each kind that works here."""
    found = find_sandbox((request.param,))
    if isinstance(found, Unavailable):
        pytest.skip(found.reason)
    return found


def written_down(
    evaluation: dict[str, Any], answer: str, folder: Path, sandbox: Sandbox | Unavailable
) -> Grading:
    """Return what the graders say, when it has been in a journal and back."""
    asked = {"id": 1, "tier": 1, "instruction": "Do it.", "evaluation": evaluation}
    grading = judge(StructuredTask.model_validate(asked), answer, sandbox)
    path = folder / "journal.jsonl"
    Journal(path, "digest").append(ANSWER, run(1).model_copy(update={"checks": grading.checks}))
    (line,) = Journal(path, "digest").all(ANSWER)
    assert line["checks"] == [check.model_dump() for check in grading.checks]
    return grading


def spoof(data: bytes) -> str:
    """Return an answer that writes into every channel that it finds, and says no more."""
    return f"""
import os
for number in range(3, 20):
    try:
        os.write(number, {data!r})
    except OSError:
        pass
os._exit(0)
def f(): ...
"""


SPOOFS = {
    "no names": encode(("raised", [], "m", False)),
    "no names while loading": encode(("raised", [], "m", True)),
    "names that are none": encode(("raised", [1, None], "m", False)),
    "one name that is none": encode(("raised", ["ValueError", 1], "m", False)),
    "a tuple of no names": encode(("raised", (), "m", False)),
    "half a character as a name": encode(("raised", ["\ud800"], "\ud800", True)),
    "a syntax error of half a character": encode(("raised", ["SyntaxError"], "\ud800", True)),
    "no message": encode(("raised", ["E"], None, False)),
    "another kind": encode(("spoofed", 1)),
    "no kind": encode((1, 1)),
    "nothing": encode(None),
    "too short": encode(("returned",)),
    "half a character": encode(("returned", "\ud800")),
    "opaque": b"t2:s8:returnedo4:\x1b[2J",
    "opaque and no text": b"t2:s8:returnedo2:\xff\xfe",
    "twice": encode(("returned", 2)) * 2,
    "deep": b"t2:s8:returned" + b"l1:" * 100 + b"n0:",
    "large": b"t2:s8:returnedi9000:" + b"f" * 9000,
    "no end": b"t2:s8:returnedl99999999999:",
    "no bytes of a tag": b"t2:s8:returnedq1:x",
    "unhashable": b"t2:s8:returnede1:l0:",
}


@pytest.mark.parametrize(
    "asked", [CALLED, pytest.param(RAISES, marks=pytest.mark.slow)], ids=["value", "exception"]
)
@pytest.mark.parametrize("data", SPOOFS.values(), ids=SPOOFS)
def test_what_is_written_into_the_channel_is_a_wrong_answer(
    data: bytes, asked: dict[str, Any], sandbox: Sandbox, tmp_path: Path
) -> None:
    grading = written_down(asked, spoof(data), tmp_path, sandbox)
    assert [check.passed for check in grading.checks] == [False]


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        (CALLED, "def f(): ...\nraise SyntaxError('\\ud800')"),
        (CALLED, "def f(): raise ValueError('\\ud800\\x1b[2J\\n')"),
        (CALLED, "def f(): raise type('\\x1b[2J\\u202e', (Exception,), {})"),
        (CALLED, "def f(): return type('\\x1b[2J\\n', (), {})()"),
        (CALLED, "def f(): return [type('\\u202e', (), {})()]"),
        (CALLED, "def f(): return '\\ud800'"),
        (STARTED, "import os\nos.write(1, b'\\xed\\xa0\\x80\\x1b[2J')"),
        (STARTED, "import os\nos.write(2, b'\\xed\\xa0\\x80\\x1b[2J')\nos._exit(1)"),
        (STARTED, "```python \ud800.py\n```\n```python main.py \ud800\n```"),
    ],
    ids=ascii,
)
def test_what_code_says_has_no_power_over_its_reader(
    asked: dict[str, Any], answer: str, sandbox: Sandbox, tmp_path: Path
) -> None:
    says_plainly(written_down(asked, answer, tmp_path, sandbox))


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        (CLOSED, '{"\\ud800": 1}'),
        (CLOSED, '{"\\u001b[2J\\n\\u202e": 1}'),
        ({"type": "json", "expected": 1}, '"\\ud800"'),
        ({"type": "json", "expected": 1}, "\x1b[2J\ud800"),
        ({"type": "exact", "expected": "x"}, "\ud800\x1b[2J"),
        ({"type": "number", "expected": 1}, "\ud800\x1b[2J"),
        ({"type": "contains", "all": ["x"]}, "\ud800\x1b[2J"),
        ({"type": "regex", "pattern": "x"}, "\ud800\x1b[2J"),
        ({"type": "ast_rules", "require": {"names": ["x"]}}, "\ud800\x1b[2J"),
        ({"type": "ast_rules", "require": {"names": ["x"]}}, "y = '\\ud800'"),
    ],
    ids=ascii,
)
def test_what_a_text_says_has_no_power_over_its_reader(
    asked: dict[str, Any], answer: str, tmp_path: Path
) -> None:
    says_plainly(written_down(asked, answer, tmp_path, NO_SANDBOX))


def says_plainly(grading: Grading) -> None:
    assert not any(check.passed for check in grading.checks)
    assert all(check.detail and check.detail.isprintable() for check in grading.checks)
