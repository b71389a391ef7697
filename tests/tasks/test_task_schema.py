"""The published schema of banks says what the models say."""

from __future__ import annotations

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from task_forms import ADD, ROOT, content

from orket_lib.tasks.schema import SCHEMA_FILE, bank_schema


def bank(*tasks: dict[str, Any]) -> dict[str, Any]:
    return {"schema_version": "orket.task_bank.v1", "bank_id": "x", "tasks": list(tasks)}


@pytest.fixture(scope="module")
def validator() -> Draft202012Validator:
    Draft202012Validator.check_schema(bank_schema())
    return Draft202012Validator(bank_schema())


def test_the_published_schema_is_that_of_the_models() -> None:
    published = json.loads((ROOT / SCHEMA_FILE).read_text(encoding="utf-8"))
    assert published == bank_schema(), "type: python -m orket_lib.tasks.schema"


@pytest.mark.parametrize(
    "path", sorted((ROOT / "config" / "task_banks").glob("*.json")), ids=lambda path: path.name
)
def test_shipped_banks_pass(path: Any, validator: Draft202012Validator) -> None:
    if path.name.endswith(".solutions.json"):
        pytest.skip("solutions are no bank")
    shipped = json.loads(path.read_text(encoding="utf-8"))
    assert [error.message for error in validator.iter_errors(shipped)] == []


@pytest.mark.parametrize(
    "good",
    [
        [content()],
        bank(content(id="T001", evaluation=[ADD, {"type": "ast_rules", "limits": {"nesting": 1}}])),
        bank(content(evaluation={"type": "json_schema", "schema": {"type": "object"}})),
        bank(content(acceptance_contract={"mode": "service", "anything": [1]})),
    ],
    ids=range(4),
)
def test_an_editor_accepts_what_loads(good: Any, validator: Draft202012Validator) -> None:
    assert [error.message for error in validator.iter_errors(good)] == []


@pytest.mark.parametrize(
    "changes",
    [
        {"id": "abc"},
        {"id": 0},
        {"tier": 7},
        {"instruction": ""},
        {"constraint": []},
        {"evaluation": {"type": "llm"}},
        {"evaluation": ADD | {"examples": []}},
        {"evaluation": {"type": "ast_rules", "forbid": {"constructs": ["goto"]}}},
        {"acceptance_contract": {"mode": "script"}},
    ],
    ids=str,
)
def test_an_editor_sees_a_mistake(changes: dict[str, Any], validator: Draft202012Validator) -> None:
    assert list(validator.iter_errors(bank(content(**changes))))
