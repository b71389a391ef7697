"""Banks from tables: what is read, what is refused, and the messages."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from orket_lib.tasks import import_bank as importing
from orket_lib.tasks.bank import Question, TaskBank
from orket_lib.tasks.grading.graders import judge
from orket_lib.tasks.import_bank import import_bank
from orket_lib.vocabulary.errors import ArtifactError


def read(tmp_path: Path, text: str | bytes, name: str = "table.jsonl") -> TaskBank:
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return import_bank(path, "mine")


def jsonl(*rows: Any) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def refusal(tmp_path: Path, text: str | bytes, name: str = "table.jsonl") -> list[str]:
    with pytest.raises(ArtifactError) as caught:
        read(tmp_path, text, name)
    first, *lines = str(caught.value).splitlines()
    assert str(tmp_path / name) in first
    return [line.strip() for line in lines]


def row(**changes: Any) -> dict[str, Any]:
    return {"prompt": "2 + 3?", "answer": 5} | changes


def test_rows_become_questions_in_order(tmp_path: Path) -> None:
    bank = read(tmp_path, jsonl(row(), row(prompt="Say cow.", answer="cow"), row(answer=[1])))
    assert bank.bank_id == "mine"
    assert [task.test_id for task in bank.tasks] == [
        "imported-0001",
        "imported-0002",
        "imported-0003",
    ]
    questions = [task for task in bank.tasks if isinstance(task, Question)]
    assert [question.grader for question in questions] == ["number", "exact", "json"]
    assert [question.expected for question in questions] == [5, "cow", [1]]


def test_optional_columns_are_taken(tmp_path: Path) -> None:
    text = jsonl(
        row(id=3, tier=6, category="sums", grader="number"), row(id="7", tier="2", category=None)
    )
    first, second = read(tmp_path, text).tasks
    assert (first.id, first.tier, first.family) == (3, 6, "sums")
    assert (second.id, second.tier, second.family) == (7, 2, "imported")


CSV = 'prompt,answer,grader,tier\n2 + 3?,5,number,\n"A ""cow"",\nor not?",cow,,4\n'


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["plain", "BOM"])
@pytest.mark.parametrize("ends", ["\n", "\r\n"], ids=["LF", "CRLF"])
def test_csv_is_read_with_quotes_line_ends_and_a_bom(
    tmp_path: Path, mark: bytes, ends: str
) -> None:
    bank = read(tmp_path, mark + CSV.replace("\n", ends).encode(), "table.CSV")
    assert [task.prompt for task in bank.tasks] == ["2 + 3?", f'A "cow",{ends}or not?']
    assert [task.tier for task in bank.tasks] == [1, 4]
    assert judge(bank.tasks[0], "It is 5.").passed
    assert judge(bank.tasks[1], "cow").passed


def test_a_prompt_is_kept_to_the_byte(tmp_path: Path) -> None:
    prompt = " <think>e\u0301</think> ```x``` \t\r\n "
    bank = read(tmp_path, jsonl(row(prompt=prompt)))
    assert bank.tasks[0].prompt == prompt


@pytest.mark.parametrize(
    ("given", "grader", "expected"),
    [
        ("5", "number", 5),
        (" 0.5 ", "number", 0.5),
        ('{"a": 1}', "json", {"a": 1}),
        (" b ", "choice", "b"),
        ("[ab]+", "regex", "[ab]+"),
        ("cow", "contains", "cow"),
        ("5", None, "5"),
    ],
)
def test_text_is_read_as_its_grader_needs(
    tmp_path: Path, given: str, grader: str | None, expected: Any
) -> None:
    changes = {"answer": given.upper() if grader == "choice" else given, "grader": grader}
    (task,) = read(tmp_path, jsonl(row(**changes))).tasks
    assert isinstance(task, Question)
    assert task.expected == ("B" if grader == "choice" else expected)


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        ("{", "line 2: not JSON"),
        ("[1]", "line 2: not a JSON object"),
        ('{"prompt": "a", "prompt": "b", "answer": 1}', "line 2: not JSON: duplicate key"),
        ('{"prompt": "a", "answer": NaN}', "line 2: not JSON: NaN"),
        ("[" * 100_000, "line 2: not JSON"),
        (row(answer=None), "line 2: answer: missing"),
        (row(prompt=""), "line 2: prompt: missing"),
        ({"prompt": "x"}, "line 2: answer: missing"),
        (row(prompt=3), "line 2: prompt: must be text"),
        (row(hint="x"), "line 2: 'hint': there is no such column"),
        (row(tier=7), "line 2: tier: must be <= 6"),
        (row(tier="hard"), "line 2: tier: must be a whole number"),
        (row(category="Two Words"), "line 2: category: String should match pattern"),
        (row(grader="llm"), "line 2: grader: must be 'exact'"),
        (row(grader="exact"), "line 2: answer: expected 5 does not fit grader `exact`"),
        (row(grader="number", answer="five"), "line 2: answer: not a number"),
        (row(grader="number", answer="[5]"), "does not fit grader `number`"),
        (row(grader="choice", answer="Z"), "does not fit grader `choice`"),
        (row(grader="regex", answer="("), "does not fit grader `regex`"),
        (row(prompt="x" * 100_001), "line 2: prompt: longer than 100000 characters"),
        (row(prompt="\ud800"), "line 2: prompt: "),
        (row(answer={"\ud800": 1}), "line 2: answer: half a character"),
        ('{"prompt": "a", "answer": [1e999]}', "line 2: answer: half a character, or a number"),
        (row(category="a" * 41), "line 2: category: String should match pattern"),
        (row(id=2), "line 2: id: either every row has one or none"),
    ],
    ids=lambda value: ascii(value)[:40],
)
def test_a_bad_line_is_named(tmp_path: Path, bad: Any, said: str) -> None:
    line = bad if isinstance(bad, str) else json.dumps(bad)
    (found,) = refusal(tmp_path, jsonl(row()) + line + "\n" + jsonl(row()))
    assert said in found


def test_every_bad_line_is_named(tmp_path: Path) -> None:
    text = jsonl(row(), row(tier=9), row()) + "\n\n{\n" + jsonl(row(answer=None))
    found = refusal(tmp_path, text)
    assert [line.partition(":")[0] for line in found] == ["line 2", "line 6", "line 7"]
    many = refusal(tmp_path, "{\n" * 80)
    assert len(many) == 51
    assert many[-1] == "and 30 more"


@pytest.mark.parametrize("ids", [(2, 1), (1, 1), (0, 1), (1, "x"), (1, -2)], ids=str)
def test_ids_are_numbers_that_ascend(tmp_path: Path, ids: tuple[Any, Any]) -> None:
    assert "id: " in refusal(tmp_path, jsonl(*(row(id=one) for one in ids)))[0]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "prompt,grader\nx,exact\n",
            "line 1: the first line names the columns; there is no answer",
        ),
        ("prompt,answer,answer\n", "line 1: duplicate column"),
        ("prompt,answer,hint\na,b,c\n", "line 2: 'hint': there is no such column"),
        ("prompt,answer\na\nb,c\nd,e,f\n", "line 2: 1 cells under 2 columns"),
        ('prompt,answer\n"a\nb",\n', "line 2: answer: missing"),
        ('prompt,answer\na,"b"c\n', "line 2: not CSV"),
        ('prompt,answer\na,"b\n', "line 2: not CSV"),
        ("prompt,answer\n", "there are no rows"),
        ("", "there are no rows"),
    ],
    ids=lambda text: ascii(text)[:40],
)
def test_a_csv_that_is_none_is_told(tmp_path: Path, text: str, said: str) -> None:
    assert refusal(tmp_path, text, "table.csv")[0].startswith(said)


@pytest.mark.parametrize(
    ("text", "name", "said"),
    [
        (b"\xff\xfe{", "a.jsonl", "not UTF-8 text"),
        (b'{"prompt": "\xe9"}', "a.jsonl", "not UTF-8 text"),
        (b"{}", "a.txt", "the name of a table ends with .jsonl or .csv"),
    ],
    ids=str,
)
def test_a_file_that_is_no_table_is_refused(
    tmp_path: Path, text: bytes, name: str, said: str
) -> None:
    with pytest.raises(ArtifactError, match=said):
        read(tmp_path, text, name)


def test_a_missing_file_and_a_folder_are_one_clear_error(tmp_path: Path) -> None:
    for path in (tmp_path / "no.csv", tmp_path / "folder.csv"):
        if path.stem == "folder":
            path.mkdir()
        with pytest.raises(ArtifactError, match="can't be read"):
            import_bank(path, "x")


def test_limits_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = jsonl(*[row()] * 4)
    monkeypatch.setattr(importing, "MAX_ROWS", 3)
    assert refusal(tmp_path, text) == ["line 4: more than 3 rows"]
    monkeypatch.setattr(importing, "MAX_BYTES", len(text) - 1)
    with pytest.raises(ArtifactError, match="larger than"):
        read(tmp_path, text)
