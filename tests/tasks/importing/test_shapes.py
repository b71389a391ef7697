"""Well-known shapes of data: recognised, asked and graded as they mean it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from imported_files import imported, jsonl, read, refusal

from orket_lib.tasks.bank import Task
from orket_lib.tasks.grading.graders import judge

TILES = {
    "question": "A box holds 6 tiles. Lena buys 4 boxes and breaks 3 tiles. How many are whole?",
    "answer": "She buys 4*6=<<4*6=24>>24 tiles.\n24-3=<<24-3=21>>21 are whole.\n#### 21",
}
MONEY = {"question": "A bike costs $1,000 and a lock $300. Together?", "answer": "#### $1,300"}
RIVER = {
    "question": "Which of these is a river?",
    "choices": ["Etna", "Loire", "Malta", "Gobi"],
    "answer": 1,
    "subject": "World Geography",
}
DOUBLE = {
    "task_id": "Own/7",
    "prompt": "from typing import List\n\n\ndef doubled(xs: List[int]) -> List[int]:\n"
    '    """Double."""\n',
    "entry_point": "doubled",
    "canonical_solution": "    return [2 * x for x in xs]\n",
    "test": "METADATA = {}\n\n\ndef check(candidate):\n"
    '    """Checks."""\n'
    "    assert candidate([1, -2]) == [2, -4], 'twice'\n"
    "    assert candidate([]) == []\n"
    "    assert True\n",
}
VOWELS = {
    "task_id": 3,
    "text": "Write a function to count the vowels of a word.",
    "code": "def vowels(word):\n    return sum(c in 'aeiou' for c in word)",
    "test_list": ["assert vowels('tree') == 2", 'assert vowels("sky") == 0'],
    "test_setup_code": "",
}


def one(tmp_path: Path, row: Any, **options: Any) -> Task:
    (task,) = read(tmp_path, jsonl(row), **options).tasks
    return task


def kind(task: Task) -> str:
    (asked,) = task.evaluations
    return asked.type


def test_gsm8k(tmp_path: Path) -> None:
    found = imported(tmp_path, jsonl(TILES, MONEY))
    assert found.notes[1] == (
        "read as: GSM8K: word problems, graded by the number after `####`; graders: number 2"
    )
    first, second = found.bank.tasks
    assert first.prompt.startswith(TILES["question"])
    assert "####" not in first.prompt
    assert first.family == "gsm8k"
    assert judge(first, "21").passed
    assert not judge(first, "24").passed
    assert judge(second, "1,300").passed


@pytest.mark.parametrize(
    ("answer", "label"),
    [(1, "B"), ("1", "B"), ("B", "B"), ("b", "B"), (" D ", "D"), (0, "A"), (3, "D")],
)
def test_mmlu(tmp_path: Path, answer: Any, label: str) -> None:
    task = one(tmp_path, {**RIVER, "answer": answer})
    assert task.prompt == (
        "Which of these is a river?\n\nA) Etna\nB) Loire\nC) Malta\nD) Gobi\n\n"
        "Answer with one of A, B, C, D only."
    )
    assert task.family == "world_geography"
    assert judge(task, label).passed
    assert not judge(task, "C").passed


def test_human_eval(tmp_path: Path) -> None:
    task = one(tmp_path, DOUBLE)
    assert task.prompt.startswith("Complete this function:\n\nfrom typing import List\n")
    assert "candidate" not in task.prompt
    (asked,) = task.evaluations
    assert asked.model_dump(exclude_unset=True) == {
        "type": "function_examples",
        "function_name": "doubled",
        "examples": (
            {"args_python": "[[1, -2]]", "expected_python": "[2, -4]"},
            {"args_python": "[[]]", "expected_python": "[]"},
        ),
        "tolerance": 0.0,
    }


@pytest.mark.parametrize("name", ["text", "prompt"])
def test_mbpp(tmp_path: Path, name: str) -> None:
    row = {key: value for key, value in VOWELS.items() if key != "text"} | {name: VOWELS["text"]}
    task = one(tmp_path, row)
    assert task.prompt.startswith("Write a function to count the vowels of a word.\n\nThe function")
    assert "assert vowels('tree') == 2" in task.prompt
    assert kind(task) == "function_examples"
    assert task.family == "mbpp"


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({**TILES, "answer": "#### none"}, "answer: no number after `####` (got '#### none')"),
        ({**RIVER, "answer": "E"}, "answer: must be a label from A to D or an index from 0 to 3"),
        ({**RIVER, "answer": 4}, "(got 4)"),
        ({**RIVER, "answer": True}, "(got True)"),
        ({**RIVER, "choices": ["Etna"]}, "choices: must be a list of 2 to 26 texts"),
        ({**RIVER, "question": ""}, "question: missing"),
        ({**DOUBLE, "test": "x = 1"}, "test: has no function `check(candidate)`"),
        ({**DOUBLE, "test": "def check(candidate):\n  ass"}, "test: `ass` is code"),
        ({**DOUBLE, "test": "def check("}, "test: not Python: "),
        ({**DOUBLE, "entry_point": "2x"}, "function_name: a name of Python"),
        ({**VOWELS, "test_list": ["assert vowels('a') == 1", "assert u('b') == 1"]}, "call 2 func"),
        ({**VOWELS, "test_list": "assert f(1) == 1"}, "test_list: must be a list (got"),
        ({**VOWELS, "test_list": ["assert True"]}, "tests: call no functions"),
        ({**VOWELS, "test_setup_code": "import math"}, "test_setup_code: is code"),
    ],
    ids=lambda value: ascii(value)[-40:],
)
def test_a_bad_record_is_named(tmp_path: Path, row: Any, said: str) -> None:
    head, found = refusal(tmp_path, jsonl(row))
    assert head.startswith("can't be imported (JSONL; columns: ")
    assert found.startswith("line 1: ")
    assert said in found


def test_shapes_that_are_mixed_are_said_with_what_the_others_have(tmp_path: Path) -> None:
    head, *found = refusal(tmp_path, jsonl(TILES, VOWELS, MONEY, {"input": "x", "goal": "y"}))
    assert head.startswith("can't be imported (JSONL; columns: question, answer, task_id, text")
    # MBPP is the shape with the most telling column; each record of another kind says what it has.
    assert found[:2] == [
        "line 1, line 3: test_list: missing (this record has question, answer)",
        "line 4: test_list: missing (this record has input, goal)",
    ]


def test_a_shape_has_its_own_grader(tmp_path: Path) -> None:
    (said,) = refusal(tmp_path, jsonl(TILES), grader="exact")
    assert said == (
        "--grader exact: the columns are those of GSM8K, word problems, graded by the number after "
        "`####`; leave the option out, or type --grader agrees, or --map prompt=COLUMN "
        "--map answer=COLUMN"
    )
    task = one(tmp_path, TILES, grader="exact", columns={"prompt": "question"})
    assert kind(task) == "exact"


@pytest.mark.parametrize("row", [TILES, RIVER, DOUBLE, VOWELS], ids=["GSM8K", "MMLU", "HE", "MBPP"])
def test_any_shape_can_be_asked_without_answers(tmp_path: Path, row: Any) -> None:
    task = one(tmp_path, row, grader="agrees")
    assert kind(task) == "agrees"
    assert "C) Malta" in task.prompt or "choices" not in row


def test_a_shape_under_other_names_is_recognised_when_mapped(tmp_path: Path) -> None:
    row = {"problem": TILES["question"], "solution": TILES["answer"]}
    columns = {"question": "problem", "answer": "solution"}
    assert kind(one(tmp_path, row, columns=columns)) == "number"
