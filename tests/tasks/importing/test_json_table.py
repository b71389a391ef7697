"""JSON in the forms that files have it."""

from __future__ import annotations

from pathlib import Path

import pytest
from imported_files import imported, refusal

ROW = '{"prompt": "2 + 2?", "answer": 4}'
PRETTY = '{\n "prompt": "2 + 2?",\n "answer": 4\n}'


@pytest.mark.parametrize("name", ["a.jsonl", "a.json", "a.ndjson"])
@pytest.mark.parametrize(
    ("text", "seen"),
    [
        (ROW, "JSONL"),
        (f"\n{ROW}\r\n", "JSONL"),
        (f"[{ROW}]", "a JSON array"),
        (f"[\n{PRETTY}\n]", "a JSON array"),
        (f'{{"version": 1,\n"rows": [{ROW}]}}', "a JSON object with an array `rows`"),
        (f'{{"a": [1],\n"rows": [{ROW}]}}', "a JSON object with an array `rows`"),
        (f'{{"tests": [{ROW}]}}', "a JSON object with an array `tests`"),
        (PRETTY, "a JSON object"),
    ],
    ids=lambda text: ascii(text)[:40],
)
def test_the_content_and_not_the_name_says_what_it_is(
    tmp_path: Path, text: str, seen: str, name: str
) -> None:
    found = imported(tmp_path, text, name)
    assert [task.prompt for task in found.bank.tasks] == ["2 + 2?"]
    assert found.notes[0] == f"seen: {seen}; columns: prompt, answer"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"[{ROW},\n{ROW[:-1]}\n]", "line 3: not JSON: Expecting ',' delimiter"),
        (f"[{ROW}, 4]", "item 2: not a JSON object"),
        ("[1, 2]", "item 1, item 2: not a JSON object"),
        (f"{ROW}\n{ROW}", "line 2: the same prompt as line 1"),
        (f"[{ROW}, {ROW}]", "item 2: the same prompt as item 1"),
        ("no json", "line 1: not JSON"),
        ("[" * 100_000, "not JSON"),
    ],
    ids=lambda text: ascii(text)[:40],
)
def test_what_is_wrong_is_said_by_line_or_item(tmp_path: Path, text: str, said: str) -> None:
    assert said in " ".join(refusal(tmp_path, text, "a.json"))
