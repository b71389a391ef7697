"""Banks from tables of prompts and answers: what is read, what is refused, and the messages."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from imported_files import imported, jsonl, read, refusal

from orket_lib.tasks.bank import Question
from orket_lib.tasks.grading.graders import judge
from orket_lib.tasks.importing import import_bank as module
from orket_lib.tasks.importing.import_bank import import_bank
from orket_lib.vocabulary.errors import ArtifactError

SKIP = "--skip leaves such records out"


def row(**changes: Any) -> dict[str, Any]:
    return {"prompt": "2 + 3?", "answer": 5} | changes


def test_rows_become_questions_in_order(tmp_path: Path) -> None:
    rows = row(), row(prompt="Say cow.", answer="cow"), row(prompt="A list.", answer=[1])
    bank = read(tmp_path, jsonl(*rows))
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
        row(id=3, tier=6, category="sums", grader="number"),
        row(prompt="3 + 2?", id="7", tier="2", category=None),
    )
    first, second = read(tmp_path, text).tasks
    assert (first.id, first.tier, first.family) == (3, 6, "sums")
    assert (second.id, second.tier, second.family) == (7, 2, "imported")


def test_ids_that_are_names_are_numbered_and_said(tmp_path: Path) -> None:
    found = imported(tmp_path, jsonl(row(id="q1"), row(prompt="3 + 2?", id="q2")))
    assert [task.id for task in found.bank.tasks] == [1, 2]
    assert "`id` holds names: the tasks are numbered from 1" in found.notes


def test_what_was_seen_and_done_is_said_once(tmp_path: Path) -> None:
    text = jsonl(*({"question": f"{n} + 1?", "answer": n + 1, "hint": "add"} for n in range(3)))
    assert imported(tmp_path, text).notes == (
        "seen: JSONL; columns: question, answer, hint",
        "read as: prompts from `question`, answers from `answer`; graders: number 3",
        "not used: hint",
    )


def test_a_prompt_is_kept_to_the_byte(tmp_path: Path) -> None:
    prompt = " <think>e\u0301</think> ```x``` \t\r\n "
    bank = read(tmp_path, jsonl(row(prompt=prompt)))
    assert bank.tasks[0].prompt == prompt


@pytest.mark.parametrize(
    ("given", "grader", "expected"),
    [
        ("5", "number", 5),
        (" 0.5 ", "number", 0.5),
        ("$1,234", "number", 1234),
        ('{"a": 1}', "json", {"a": 1}),
        (" B ", "choice", "B"),
        ("[ab]+", "regex", "[ab]+"),
        ("cow", "contains", "cow"),
        ("cow", None, "cow"),
        ("05", None, "05"),
        ("5", None, 5),
    ],
)
def test_text_is_read_as_its_grader_needs(
    tmp_path: Path, given: str, grader: str | None, expected: Any
) -> None:
    (task,) = read(tmp_path, jsonl(row(answer=given, grader=grader))).tasks
    assert isinstance(task, Question)
    assert task.expected == expected
    assert type(task.expected) is type(expected)


def test_an_option_names_the_grader_of_all_others(tmp_path: Path) -> None:
    text = jsonl(row(answer="cow"), row(prompt="Say pig.", answer="pig", grader="exact"))
    tasks = read(tmp_path, text, grader="contains").tasks
    assert [task.evaluations[0].type for task in tasks] == ["contains", "exact"]


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        ("{", "line 2: not JSON"),
        ("[1]", "line 2: not a JSON object"),
        ('{"prompt": "a", "prompt": "b", "answer": 1}', "line 2: not JSON: duplicate key"),
        ('{"prompt": "a", "answer": NaN}', "line 2: not JSON: NaN"),
        ("[" * 100_000, "line 2: not JSON"),
        (row(prompt="x", answer=None), "line 2: answer: missing; grader `agrees` asks without"),
        (row(prompt=""), "line 2: prompt: missing"),
        ({"prompt": "x"}, "line 2: answer: missing"),
        (row(prompt=3), "line 2: prompt: must be text (got 3)"),
        (row(prompt="x", tier=7), "line 2: tier: must be <= 6"),
        (row(prompt="x", tier="hard"), "line 2: tier: must be a whole number"),
        (row(prompt="x", grader="llm"), "line 2: grader: must be 'exact'"),
        (row(prompt="x", grader="exact"), "line 2: answer: expected 5 does not fit grader `exact`"),
        (row(grader="number", answer="five"), "line 2: answer: not a number such as 12"),
        (row(grader="number", answer="[5]"), "line 2: answer: not a number such as 12"),
        (row(grader="json", answer="[5"), "line 2: answer: not JSON"),
        (row(prompt="x", grader="choice", answer="Z"), "does not fit grader `choice`"),
        (row(prompt="x", grader="regex", answer="("), "does not fit grader `regex`"),
        (row(prompt="x" * 100_001), "line 2: prompt: longer than 100000 characters"),
        (row(prompt="\ud800"), "line 2: half a character"),
        (row(answer={"\ud800": 1}), "line 2: answer: half a character"),
        ('{"prompt": "a", "answer": [1e999]}', "line 2: answer: half a character, or a number"),
        (row(prompt="x", id=2), "line 2: id: either every record has one or none"),
        (row(), "line 2: the same prompt as line 1"),
        ({"input": "x", "goal": 1}, "line 2: prompt: missing (this record has input, goal)"),
    ],
    ids=lambda value: ascii(value)[:40],
)
def test_a_bad_line_is_named(tmp_path: Path, bad: Any, said: str) -> None:
    line = bad if isinstance(bad, str) else json.dumps(bad)
    good = row(), row(prompt="3 + 2?")
    text = jsonl(good[0]) + line + "\n" + jsonl(good[1])
    head, found, hint = refusal(tmp_path, text)
    assert head.startswith("can't be imported (JSONL; columns: prompt, answer")
    assert said in found
    assert hint == SKIP
    rest = imported(tmp_path, text, skip=True)
    assert [task.prompt for task in rest.bank.tasks] == ["2 + 3?", "3 + 2?"]
    assert rest.notes[-2:] == ("left out 1 record:", found)


def test_bad_lines_with_the_same_mistake_are_one_message(tmp_path: Path) -> None:
    rows = [row(prompt=f"{n}?", tier=9 if n % 2 else 1) for n in range(6)]
    text = jsonl(*rows) + "\n\n{\n" + jsonl({"prompt": "x"})
    _, *found, hint = refusal(tmp_path, text)
    assert [line.partition(":")[0] for line in found] == [
        "line 9",
        "line 2, line 4, line 6",
        "line 10",
    ]
    assert hint == SKIP


def test_of_many_mistakes_the_first_are_shown(tmp_path: Path) -> None:
    rows = [row(prompt=f"{n}?", tier=n + 7) for n in range(80)]
    _, *found = refusal(tmp_path, jsonl(*rows))
    assert len(found) == 1  # one mistake at 80 lines
    assert " and 30 more: tier: must be <= 6" in found[0]


@pytest.mark.parametrize("ids", [(2, 1), (1, 1), (0, 1), (1, "x"), (1, -2)], ids=str)
def test_ids_are_numbers_that_ascend(tmp_path: Path, ids: tuple[Any, Any]) -> None:
    rows = (row(prompt=f"{place}?", id=one) for place, one in enumerate(ids))
    assert "id: " in refusal(tmp_path, jsonl(*rows))[1]


# Columns under other names, and none that can be told.


@pytest.mark.parametrize(
    ("columns", "prompt", "answer"),
    [
        (("question", "answer"), "question", "answer"),
        (("Instruction", "Expected Output"), "Instruction", "Expected Output"),
        (("query", "gold", "source"), "query", "gold"),
        (("problem", "target"), "problem", "target"),
        (("prompt", "input", "answer", "target"), "prompt", "answer"),
    ],
    ids=str,
)
def test_columns_are_found_under_usual_names(
    tmp_path: Path, columns: tuple[str, ...], prompt: str, answer: str
) -> None:
    (task,) = read(tmp_path, jsonl({name: f"<{name}>" for name in columns})).tasks
    assert isinstance(task, Question)
    assert (task.prompt, task.expected) == (f"<{prompt}>", f"<{answer}>")


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        (
            ("a", "b", "c"),
            "JSONL; columns: a, b, c; no column looks like a prompt; type --map prompt=COLUMN",
        ),
        (
            ("prompt", "solution"),
            "JSONL; columns: prompt, solution; no column looks like an answer; type "
            "--map answer=COLUMN, or --grader agrees to ask without right answers",
        ),
        (
            ("instruction", "input", "answer"),
            "`input` and `instruction` look like a prompt; type --map prompt=input, or the other",
        ),
        (
            ("prompt", "target", "expected"),
            "`target` and `expected` look like an answer; type --map answer=target, or the other",
        ),
    ],
    ids=str,
)
def test_columns_that_can_not_be_told_are_listed_with_what_to_type(
    tmp_path: Path, columns: tuple[str, ...], said: str
) -> None:
    (found,) = refusal(tmp_path, jsonl(*(dict.fromkeys(columns, "x") for _ in range(60))))
    assert said in found


def test_of_several_arrays_none_is_taken(tmp_path: Path) -> None:
    one = '{"prompt": "a", "answer": "b"}'
    (found,) = refusal(tmp_path, f'{{"train": [{one}], "test": [{one}]}}')
    assert "object with several arrays (`train`, `test`); put one of them" in found


def test_columns_are_mapped(tmp_path: Path) -> None:
    text = jsonl({"q": "2 + 3?", "solution": "5", "prompt": "ignored", "level": 2})
    columns = {"prompt": "q", "answer": "solution", "tier": "level"}
    (task,) = read(tmp_path, text, columns=columns).tasks
    assert isinstance(task, Question)
    assert (task.prompt, task.expected, task.tier) == ("2 + 3?", 5, 2)


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"hint": "q"}, "--map hint=q: `hint` is none of prompt, answer, id"),
        ({"prompt": "qq"}, "--map prompt=qq: there is no such column; did you mean `q`?; JSONL"),
    ],
    ids=str,
)
def test_a_wrong_mapping_is_said(tmp_path: Path, columns: dict[str, str], said: str) -> None:
    (found,) = refusal(tmp_path, jsonl({"q": "2 + 3?", "answer": 5}), columns=columns)
    assert found.startswith(said)


# Prompts without answers.


@pytest.mark.parametrize(
    ("text", "name", "grader"),
    [
        ('{"prompt": "Hi."}\n{"prompt": "Bye."}', "a.jsonl", None),
        ("Hi.\n\nBye.\r\n", "a.txt", None),
        ("prompt\nHi.\nBye.\n", "a.csv", None),
        ('{"prompt": "Hi.", "note": 1}\n{"prompt": "Bye."}', "a.jsonl", "agrees"),
        ('{"prompt": "Hi.", "answer": 1}\n{"prompt": "Bye.", "answer": 2}', "a.jsonl", "agrees"),
        ('{"question": "Hi.", "answer": "#### 1"}\n{"question": "Bye."}', "a.jsonl", "agrees"),
    ],
    ids=str,
)
def test_prompts_alone_count_for_agreement_only(
    tmp_path: Path, text: str, name: str, grader: str | None
) -> None:
    found = imported(tmp_path, text, name, grader=grader)
    assert [task.prompt.strip() for task in found.bank.tasks] == ["Hi.", "Bye."]
    assert {one.type for task in found.bank.tasks for one in task.evaluations} == {"agrees"}
    only = "2 tasks have no right answer: they count for agreement with the baseline only"
    assert only in found.notes


def test_single_prompts_may_be_without_an_answer(tmp_path: Path) -> None:
    tasks = read(tmp_path, jsonl(row(), {"prompt": "Hi.", "grader": "agrees"})).tasks
    assert [task.evaluations[0].type for task in tasks] == ["number", "agrees"]


# Files that are none.


@pytest.mark.parametrize(
    ("text", "name", "said"),
    [
        (b"\xff\xfe{", "a.jsonl", "not UTF-16 text"),
        (b'{"prompt": "\xe9"}', "a.jsonl", "not UTF-8 text (invalid continuation byte, line 1)"),
        (b'a\n"\xe9"', "a.csv", "line 2); if Excel on Windows saved it, type --encoding cp1252"),
        (b"{}", "a.xlsx", "the name of a file to import ends with .csv, .tsv, .jsonl"),
        (b"", "a.jsonl", "there are no rows"),
        (b"\n \n", "a.json", "there are no rows"),
        (b"", "a.csv", "there are no rows"),
        (b"\r\n", "a.txt", "there are no prompts"),
        (b"[]", "a.json", "a JSON array without items"),
        (b"- 1", "a.yaml", "test 1: must be a mapping here (got 1)"),
        (b"a: [", "a.yaml", "line 1: not YAML"),
        (b"a: 1\nb: 2", "a.yaml", "neither tests of promptfoo (`tests`) nor a task of lm-eval"),
    ],
    ids=str,
)
def test_a_file_that_is_no_table_is_refused(
    tmp_path: Path, text: bytes, name: str, said: str
) -> None:
    assert said in " ".join(refusal(tmp_path, text, name))


def test_an_encoding_can_be_given(tmp_path: Path) -> None:
    text = "prompt,answer\nCaf\xe9?,caf\xe9\n".encode("cp1252")
    (task,) = read(tmp_path, text, "a.csv", encoding="cp1252").tasks
    assert task.prompt == "Caf\xe9?"
    marked = "prompt,answer\n1 + 1?,2\n".encode("utf-8-sig")
    assert read(tmp_path, marked, "a.csv", encoding="utf-8").tasks[0].prompt == "1 + 1?"
    (said,) = refusal(tmp_path, text, "a.csv", encoding="klingon")
    assert "--encoding klingon: there is no such encoding" in said


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_marked_encoding_is_recognised(tmp_path: Path, encoding: str) -> None:
    (task,) = read(tmp_path, jsonl(row(prompt="\xe9?")).encode(encoding)).tasks
    assert task.prompt == "\xe9?"


def test_a_missing_file_and_a_folder_are_one_clear_error(tmp_path: Path) -> None:
    for path in (tmp_path / "no.csv", tmp_path / "folder.csv"):
        if path.stem == "folder":
            path.mkdir()
        with pytest.raises(ArtifactError, match="can't be read"):
            import_bank(path, "x")


def test_a_line_of_100_megabytes_is_refused_without_being_read(tmp_path: Path) -> None:
    path = tmp_path / "long.jsonl"
    with path.open("wb") as stream:
        stream.truncate(100_000_000)
    with pytest.raises(ArtifactError, match="larger than 64 MiB; import a part of it"):
        import_bank(path, "x")


def test_limits_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = jsonl(*(row(prompt=f"{n}?") for n in range(4)))
    monkeypatch.setattr(module, "MAX_ROWS", 3)
    assert refusal(tmp_path, text)[1:] == ["line 4: more than 3 records", SKIP]


def test_data_belongs_to_an_lm_eval_task(tmp_path: Path) -> None:
    (said,) = refusal(tmp_path, jsonl(row()), data=tmp_path / "rows.jsonl")
    assert said.startswith("--data: only an lm-eval task")


def test_imported_tasks_grade(tmp_path: Path) -> None:
    right, cow = read(tmp_path, jsonl(row(), row(prompt="Say cow.", answer="cow"))).tasks
    assert judge(right, "It is 5.").passed
    assert not judge(right, "It is 6.").passed
    assert judge(cow, "cow").passed


@pytest.mark.parametrize(
    ("category", "family"), [("Math & Logic", "math_logic"), ("sums", "sums"), ("!", "imported")]
)
def test_a_category_may_be_written_as_people_write_it(
    tmp_path: Path, category: str, family: str
) -> None:
    found = imported(tmp_path, jsonl(row(category=category)))
    assert [task.family for task in found.bank.tasks] == [family]
