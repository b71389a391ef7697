"""Samples of Inspect."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from imported_files import imported, jsonl, read, refusal

from orket_lib.tasks.bank import Task
from orket_lib.tasks.grading.graders import judge

COLOUR = {"input": "Which colour is snow?", "target": "white", "id": "snow"}


def one(tmp_path: Path, sample: Any, **options: Any) -> Task:
    (task,) = read(tmp_path, jsonl(sample), **options).tasks
    return task


def message(role: str, content: Any) -> dict[str, Any]:
    return {"role": role, "content": content}


def test_a_sample_is_asked_unchanged_in_text_and_graded_by_its_target(tmp_path: Path) -> None:
    found = imported(tmp_path, jsonl({**COLOUR, "metadata": {"level": 1}, "extra": 2}))
    (task,) = found.bank.tasks
    assert task.prompt.startswith("Which colour is snow?")
    assert judge(task, "white").passed
    assert not judge(task, "grey").passed
    assert found.notes == (
        "seen: JSONL; columns: input, target, id, metadata, extra",
        "read as: Inspect samples: prompts from `input`, answers from `target`; graders: exact 1",
        "`metadata` is not used",
        "not used: extra",
    )


@pytest.mark.parametrize(
    ("given", "asked"),
    [
        ([message("user", "3 + 4?")], "3 + 4?"),
        ([message("system", "Be brief."), message("user", "3 + 4?")], "Be brief.\n\n3 + 4?"),
        ([message("user", [{"type": "text", "text": "3 + "}, {"text": "4?"}])], "3 + 4?"),
    ],
    ids=str,
)
def test_messages_become_one_prompt(tmp_path: Path, given: Any, asked: str) -> None:
    task = one(tmp_path, {"input": given, "target": "7"})
    assert task.prompt.startswith(asked)
    assert judge(task, "7").passed


def test_one_of_several_targets_suffices(tmp_path: Path) -> None:
    task = one(tmp_path, {"input": "3 + 4?", "target": ["7", "seven"]})
    assert judge(task, "Seven").passed
    assert judge(task, "7").passed
    assert not judge(task, "77").passed


def test_a_target_may_be_anywhere_if_asked(tmp_path: Path) -> None:
    task = one(tmp_path, COLOUR, grader="contains")
    assert judge(task, "Snow is White.").passed


def test_choices_are_shown_if_the_target_is_a_label(tmp_path: Path) -> None:
    sample = {**COLOUR, "choices": ["red", "white"], "target": "B"}
    task = one(tmp_path, sample)
    assert task.prompt.endswith("A) red\nB) white\n\nAnswer with one of A, B only.")
    assert judge(task, "B").passed
    assert not judge(task, "A").passed
    other = imported(tmp_path, jsonl({**sample, "target": ["white", "pale"]}))
    assert "red" not in other.bank.tasks[0].prompt
    assert other.notes[-1] == (
        "`choices` whose `target` is no label such as B are not shown to the model"
    )


@pytest.mark.parametrize(
    ("sample", "said"),
    [
        ({**COLOUR, "input": 3}, "input: must be text or a list of messages"),
        ({**COLOUR, "input": []}, "input: must be text or a list of messages"),
        ({**COLOUR, "input": [message("assistant", "Hi.")]}, "a message of role 'assistant'"),
        ({**COLOUR, "input": [message("user", "a")] * 2}, "only one user message"),
        ({**COLOUR, "input": [message("user", [{"image": "x"}])]}, "other than text"),
        ({**COLOUR, "target": []}, "target: missing"),
        ({**COLOUR, "sandbox": "docker"}, "sandbox: needs more than a prompt"),
    ],
    ids=lambda value: ascii(value)[:50],
)
def test_a_bad_sample_is_named(tmp_path: Path, sample: Any, said: str) -> None:
    _, found = refusal(tmp_path, jsonl(sample))
    assert found.startswith("line 1: ")
    assert said in found


def test_a_grader_that_does_not_fit_is_said(tmp_path: Path) -> None:
    (said,) = refusal(tmp_path, jsonl(COLOUR), grader="json")
    assert said == "--grader json: of Inspect samples exact, number, contains or agrees"
    _, wrong = refusal(tmp_path, jsonl(COLOUR), grader="number")
    assert wrong == "line 1: target: not a number (got 'white')"
