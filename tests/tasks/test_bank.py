from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from builders import task
from pydantic import ValidationError

from orket_lib.artifacts.io import write_json
from orket_lib.tasks.bank import Task, TaskBank, load_bank, select, selection
from orket_lib.tasks.task import Question
from orket_lib.vocabulary.errors import ArtifactError

ROOT = Path(__file__).parents[2]


def bank(*tasks: Task, **changes: Any) -> TaskBank:
    values: dict[str, Any] = {
        "schema_version": "orket.task_bank.v1",
        "bank_id": "bank",
        "tasks": tasks,
    }
    return TaskBank(**(values | changes))


FIVE = bank(*(task(number) for number in (1, 2, 5, 8, 9)))


@pytest.mark.parametrize(
    ("limits", "ids"),
    [
        pytest.param({}, (1, 2, 5, 8, 9), id="all"),
        pytest.param({"id_min": 2}, (2, 5, 8, 9), id="lowest is included"),
        pytest.param({"id_max": 8}, (1, 2, 5, 8), id="highest is included"),
        pytest.param({"id_min": 2, "id_max": 8}, (2, 5, 8), id="both"),
        pytest.param({"limit": 2}, (1, 2), id="limit"),
        pytest.param({"limit": 2, "id_min": 5}, (5, 8), id="limit comes last"),
        pytest.param({"limit": 0, "id_min": 8}, (8, 9), id="zero is all"),
        pytest.param({"limit": 9}, (1, 2, 5, 8, 9), id="limit beyond the end"),
        pytest.param({"id_min": 3, "id_max": 4}, (), id="a gap"),
    ],
)
def test_tasks_are_selected_by_id_and_then_limited(
    limits: dict[str, Any], ids: tuple[int, ...]
) -> None:
    assert tuple(chosen.id for chosen in select(FIVE.tasks, **limits)) == ids


def test_a_selection_is_identified_by_content() -> None:
    chosen = select(FIVE.tasks, id_max=2)
    same = bank(task(1), task(2), task(7))
    edited = bank(task(1), task(2, prompt="What number is 2?"))
    assert selection(FIVE, chosen) == selection(same, select(same.tasks, id_max=2))
    assert selection(FIVE, chosen).sha256 != selection(edited, edited.tasks).sha256


def test_an_edited_task_outside_the_selection_changes_nothing() -> None:
    edited = bank(task(1), task(2, prompt="Something else?"))
    assert selection(edited, edited.tasks[:1]) == selection(FIVE, FIVE.tasks[:1])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"id": 0}, "greater than or equal to 1"),
        ({"tier": 7}, "less than or equal to 6"),
        ({"family": "Two Words"}, "should match pattern"),
        ({"prompt": ""}, "at least 1 character"),
        ({"grader": "llm"}, "Input should be"),
        ({"grader": "exact", "expected": 3}, "does not fit grader `exact`"),
        ({"grader": "number", "expected": "3"}, "does not fit grader `number`"),
        ({"grader": "number", "expected": True}, "does not fit grader `number`"),
        ({"hint": "x"}, "Extra inputs are not permitted"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_task_that_can_not_be_judged_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        task(**changes)


@pytest.mark.parametrize("ids", [(2, 1), (1, 1)])
def test_ids_ascend(ids: tuple[int, int]) -> None:
    with pytest.raises(ValidationError, match="must ascend"):
        bank(*map(task, ids))


def test_an_empty_bank_is_refused() -> None:
    with pytest.raises(ValidationError, match="at least 1 item"):
        bank()


def test_a_bad_bank_is_named_with_every_violation(tmp_path: Path) -> None:
    content = FIVE.model_dump(mode="json")
    content["tasks"][0]["tier"] = 9
    content["tasks"][3]["grader"] = "guess"
    path = tmp_path / "bank.json"
    write_json(path, content)
    with pytest.raises(ArtifactError) as caught:
        load_bank(path)
    text = str(caught.value)
    assert "bank.json" in text
    assert "tasks.0.tier" in text
    assert "tasks.3.grader" in text


def test_a_bank_of_another_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bank.json"
    write_json(path, FIVE.model_dump(mode="json") | {"schema_version": "orket.task_bank.v2"})
    with pytest.raises(ArtifactError, match="schema_version"):
        load_bank(path)


def test_an_expected_number_is_one_that_json_has(tmp_path: Path) -> None:
    path = tmp_path / "bank.json"
    write_json(path, FIVE.model_dump(mode="json"))
    text = path.read_text(encoding="utf-8").replace('"expected": 5', '"expected": NaN')
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ArtifactError, match="NaN"):
        load_bank(path)


def test_a_test_id_tells_family_and_id() -> None:
    assert task(7, family="word_count").test_id == "word_count-0007"


def test_the_reference_bank_passes_its_own_graders() -> None:
    from orket_lib.tasks.grading.graders import grade

    tasks = load_bank(ROOT / "config" / "task_banks" / "reference.json").tasks
    assert len({one.prompt for one in tasks}) == len(tasks)
    for one in tasks:
        assert isinstance(one, Question)
        answer = one.expected if isinstance(one.expected, str) else json.dumps(one.expected)
        assert all(check.passed for check in grade(one, answer)), one.test_id
        assert not any(check.passed for check in grade(one, one.prompt)), one.test_id
        assert not all(check.passed for check in grade(one, "")), one.test_id
