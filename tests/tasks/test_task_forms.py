"""The format of tasks and banks: what loads, and what is said of what doesn't."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from task_forms import ADD, ROOT, content, judged_by, structured

from orket_lib.artifacts.io import write_json
from orket_lib.tasks.bank import StructuredTask, TaskBank, load_bank, select, selection
from orket_lib.tasks.grading.graders import judge
from orket_lib.vocabulary.errors import ArtifactError

# As the banks of the runbook are written: bare arrays, text ids, and keys that only people read.
RUNBOOK = [
    {
        "id": "001",
        "tier": 1,
        "description": "Double a number.",
        "problem": "Given a number, return twice that number.",
        "function_signature": "def double(x):",
        "instruction": "Implement double(x).",
        "constraints": ["Do not print", "Return a number"],
        "io_examples": [{"input": [4], "output": 8}],
        "acceptance_contract": {
            "mode": "function",
            "required_artifacts": ["run.log", "report.json"],
            "pass_conditions": ["Function returns expected values"],
            "determinism_profile": "strict",
            "quality_required_keywords": ["def double(", "return"],
        },
        "evaluation": {
            "type": "function_examples",
            "function_name": "double",
            "examples": [
                {"args": [4], "expected": 8},
                {"args": [], "kwargs": {"x": 1}, "expected": 2},
            ],
        },
    },
    {
        "id": "002",
        "tier": 6,
        "category": "Command Line",
        "description": "Echo in capitals.",
        "instruction": "Print the first argument in capitals.",
        "acceptance_contract": {
            "mode": "system",
            "required_artifacts": [],
            "pass_conditions": [],
            "determinism_profile": "bounded",
        },
        "evaluation": {
            "type": "cli_examples",
            "entrypoint": "agent_output/main.py",
            "artifact_paths": ["agent_output/main.py", "agent_output/words.py"],
            "examples": [
                {
                    "args": ["a"],
                    "expected_stdout": "A\n",
                    "expected_stderr": "",
                    "expected_exit_code": 0,
                }
            ],
        },
        "revision": "b",
    },
]


def nested(depth: int) -> Any:
    """Return a list that is nested this deep."""
    return [] if depth == 1 else [nested(depth - 1)]


def loaded(tmp_path: Path, bank: Any, name: str = "bank.json") -> TaskBank:
    path = tmp_path / name
    write_json(path, bank)
    return load_bank(path)


def refused(tmp_path: Path, *tasks: dict[str, Any]) -> str:
    with pytest.raises(ArtifactError) as caught:
        loaded(tmp_path, list(tasks))
    return str(caught.value)


def test_a_bank_of_the_runbooks_kind_loads_unchanged(tmp_path: Path) -> None:
    bank = loaded(tmp_path, RUNBOOK, "realworld.json")
    assert bank.bank_id == "realworld"
    assert [task.test_id for task in bank.tasks] == ["001", "002"]
    assert [task.id for task in bank.tasks] == [1, 2]
    assert [task.family for task in bank.tasks] == ["general", "command_line"]
    first = bank.tasks[0]
    assert isinstance(first, StructuredTask)
    assert first.notes == {"quality_required_keywords": ["def double(", "return"]}
    assert [one.type for one in first.evaluations] == ["function_examples"]


def test_one_bank_may_hold_both_forms(tmp_path: Path) -> None:
    question = {
        "id": 1,
        "family": "add",
        "tier": 6,
        "prompt": "2 + 3?",
        "grader": "number",
        "expected": 5,
    }
    bank = loaded(tmp_path, [question, content(id="T002", category="words")])
    assert [task.test_id for task in bank.tasks] == ["add-0001", "T002"]
    assert bank.tasks[0].prompt == "2 + 3?"


@pytest.mark.parametrize(
    ("given", "number", "test_id"),
    [
        (7, 7, "words-0007"),
        ("T001", 1, "T001"),
        ("coding-12", 12, "coding-12"),
        ("001", 1, "001"),
        ("v1.2-030", 30, "v1.2-030"),
    ],
)
def test_an_id_has_a_number_and_a_name(given: int | str, number: int, test_id: str) -> None:
    task = structured(id=given, category="words")
    assert (task.id, task.test_id) == (number, test_id)


@pytest.mark.parametrize(
    "given",
    [
        0,
        -1,
        1.0,
        True,
        None,
        "",
        "abc",
        "../1",
        "a/1",
        "a\\1",
        "/etc/1",
        ".1",
        "-1",
        "a 1",
        "a\n1",
        "1\n",
        "\x1b[2J1",
        "\u202e1",
        "\u0661",
        "com1",
        "LPT1",
        "com1.2",
        "a" * 63 + "1",
        "a\x001",
        10**15,
    ],
    ids=ascii,
)
def test_an_id_that_is_no_safe_name_is_refused(tmp_path: Path, given: Any) -> None:
    assert "tasks.0.id" in refused(tmp_path, content(id=given))


@pytest.mark.parametrize(
    "ids", [("T2", "T1"), ("T1", 1), ("A-1", "B-1"), ("T01", "t1"), (10, "x9")], ids=str
)
def test_numbers_ascend_whatever_the_ids_are(tmp_path: Path, ids: tuple[Any, ...]) -> None:
    said = refused(tmp_path, *(content(id=one) for one in ids))
    assert f"task ids must ascend: {ids[1]} follows {ids[0]}" in said


@pytest.mark.parametrize(
    ("changes", "place", "allowed"),
    [
        ({"tier": 7}, "tasks.0.tier", "must be <= 6"),
        ({"tier": "1"}, "tasks.0.tier", "a whole number"),
        ({"tier": True}, "tasks.0.tier", "a whole number"),
        ({"category": "<b>"}, "tasks.0.category", "must match ^[A-Za-z]"),
        ({"instruction": ""}, "tasks.0.instruction", "needs 1 or more characters"),
        ({"constraint": ["x"]}, "tasks.0.constraint", "no such key"),
        ({"evaluation": {"type": "llm"}}, "tasks.0.evaluation", "'exact'"),
        ({"evaluation": []}, "tasks.0.evaluation", "needs 1 or more items"),
        ({"evaluation": "exact"}, "tasks.0.evaluation", "a list"),
        ({"evaluation": {"type": "exact"}}, "tasks.0.evaluation.expected", "missing"),
        ({"evaluation": ADD | {"function_name": "a b"}}, "evaluation.function_name", "a name of"),
        ({"evaluation": ADD | {"function_name": "def"}}, "evaluation.function_name", "a name of"),
        ({"evaluation": ADD | {"examples": []}}, "evaluation.examples", "needs 1 or more items"),
        (
            {"evaluation": ADD | {"examples": [{"args": [1]}]}},
            "tasks.0.evaluation.examples.0",
            "exactly one of expected",
        ),
        (
            {"evaluation": ADD | {"examples": [{"expected": 1, "raises": "E"}]}},
            "tasks.0.evaluation.examples.0",
            "exactly one of expected",
        ),
        (
            {"evaluation": ADD | {"examples": [{"expected_python": "f()"}]}},
            "tasks.0.evaluation.examples.0",
            "not a Python literal",
        ),
        (
            {"evaluation": ADD | {"examples": [{"args_python": "3", "expected": 1}]}},
            "tasks.0.evaluation.examples.0",
            "args_python",
        ),
        ({"evaluation": [ADD, ADD]}, "tasks.0.evaluation", "at most once"),
        (
            {"evaluation": {"type": "regex", "pattern": "("}},
            "tasks.0.evaluation",
            "not a regular expression",
        ),
        (
            {"evaluation": {"type": "json_schema", "schema": {"type": "text"}}},
            "tasks.0.evaluation",
            "not a JSON Schema",
        ),
        (
            {"evaluation": {"type": "json_schema", "schema": {"items": {"pattern": "("}}}},
            "tasks.0.evaluation",
            "is not a 'regex'",
        ),
        (
            {"evaluation": {"type": "json_schema", "schema": {"$ref": "#/$defs/no"}}},
            "tasks.0.evaluation",
            "$ref leads nowhere",
        ),
        (
            {"evaluation": {"type": "json_schema", "schema": {"$ref": "https://example.org/x"}}},
            "tasks.0.evaluation",
            "outside the schema",
        ),
        (
            {"evaluation": {"type": "choice", "options": {"A": "x", "B": "y"}, "expected": "C"}},
            "tasks.0.evaluation",
            "one of A, B",
        ),
        (
            {"evaluation": {"type": "choice", "options": {"A": "x"}, "expected": "A"}},
            "tasks.0.evaluation.options",
            "needs 2 or more items",
        ),
        ({"evaluation": {"type": "contains", "none": ["x"]}}, "tasks.0.evaluation", "all or any"),
        (
            {"evaluation": {"type": "exact", "expected": " \n"}},
            "tasks.0.evaluation",
            "an empty answer would pass",
        ),
        ({"evaluation": {"type": "ast_rules"}}, "tasks.0.evaluation", "at least one rule"),
        (
            {"evaluation": {"type": "ast_rules", "forbid": {"calls": ["eval"]}}},
            "tasks.0.evaluation",
            "code that does nothing would pass",
        ),
        (
            {"evaluation": ADD | {"examples": [{"expected": nested(65)}]}},
            "tasks.0.evaluation.examples.0",
            "nested at most 64 deep",
        ),
        (
            {"evaluation": ADD | {"examples": [{"expected_python": "..."}]}},
            "tasks.0.evaluation.examples.0",
            "a plain value",
        ),
        (
            {"evaluation": {"type": "json", "expected": nested(65)}},
            "tasks.0.evaluation.expected",
            "nested at most 64 deep",
        ),
        (
            {"evaluation": {"type": "json_list", "expected": [nested(65)]}},
            "tasks.0.evaluation.expected.0",
            "nested at most 64 deep",
        ),
        (
            {"evaluation": {"type": "ast_rules", "forbid": {"constructs": ["goto"]}}},
            "evaluation.forbid.constructs.0",
            "one of assert, async",
        ),
        (
            {"evaluation": {"type": "cli_examples", "entrypoint": "../x.py", "examples": [{}]}},
            "evaluation.entrypoint",
            "not a plain relative path",
        ),
        (
            {
                "evaluation": {
                    "type": "cli_examples",
                    "examples": [{"files": {"main.py": "x"}}],
                }
            },
            "tasks.0.evaluation",
            "another file is in its place",
        ),
        (
            {"acceptance_contract": {"mode": "script"}},
            "tasks.0.acceptance_contract.mode",
            "'function', 'module', 'service' or 'system'",
        ),
    ],
    ids=lambda value: ascii(value)[:60],
)
def test_what_is_wrong_is_said_with_its_place_and_what_is_allowed(
    tmp_path: Path, changes: dict[str, Any], place: str, allowed: str
) -> None:
    said = refused(tmp_path, content(id="T001", **changes))
    (line,) = [line for line in said.splitlines()[1:] if place in line]
    assert "(id T001): " in line
    assert allowed in line


def test_what_is_nested_as_deep_as_answers_are_compared_is_reached() -> None:
    expected = nested(64)
    for evaluation in (
        {"type": "json", "expected": expected},
        {"type": "json_list", "expected": expected},
    ):
        assert judge(judged_by(evaluation), json.dumps(expected)).passed
    structured(evaluation=ADD | {"examples": [{"expected": expected}]})


def test_everything_wrong_is_said_at_once(tmp_path: Path) -> None:
    said = refused(
        tmp_path,
        content(id=1, tier=0),
        content(id=2, instruction=None),
        content(id=3, evaluation={"type": "number", "expected": "3"}),
    )
    places = ("tasks.0.tier (id 1)", "tasks.1.instruction (id 2)", "evaluation.expected (id 3)")
    assert all(place in said for place in places)


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        '[{"id": ' + "9" * 5000 + "}]",
        '{"x": 1e999}',
        '{"x": "\\ud800"}',
        "{",
        "3",
        "null",
        "[]",
        "[3]",
        "[[]]",
        '{"schema_version": "orket.task_bank.v1"}',
    ],
    ids=lambda text: text[:30],
)
def test_a_file_that_is_no_bank_is_one_clear_error(tmp_path: Path, text: str) -> None:
    path = tmp_path / "bank.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ArtifactError, match=r"bank\.json: (not |a lone surrogate)"):
        load_bank(path)


def test_tasks_are_selected_by_category_and_tier(tmp_path: Path) -> None:
    tasks = loaded(
        tmp_path,
        [
            content(id=1, category="Logic", tier=1),
            content(id=2, category="Logic", tier=2),
            content(id=3, category="Refactor Heavy", tier=2),
            content(id=4, category="Logic", tier=3),
        ],
    ).tasks

    def ids(**wanted: Any) -> list[int]:
        return [task.id for task in select(tasks, **wanted)]

    assert ids(categories=["logic"]) == [1, 2, 4]
    assert ids(categories=["refactor_heavy"]) == [3]
    assert ids(tiers=[2, 3]) == [2, 3, 4]
    assert ids(categories=["logic"], tiers=[2, 3], limit=1) == [2]
    assert ids(categories=["logic"], id_min=2) == [2, 4]
    assert ids(categories=["other"]) == []


def test_a_changed_task_changes_the_selections_that_hold_it(tmp_path: Path) -> None:
    bank = loaded(tmp_path, [content(id=1), content(id=2)])
    edited = loaded(tmp_path, [content(id=1), content(id=2, constraints=["In capitals."])])
    assert selection(edited, edited.tasks[:1]) == selection(bank, bank.tasks[:1])
    assert selection(edited, edited.tasks).sha256 != selection(bank, bank.tasks).sha256


def test_a_prompt_that_is_rendered_in_another_way_is_another_selection(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    question = {
        "id": 1,
        "family": "add",
        "tier": 1,
        "prompt": "2 + 3?",
        "grader": "number",
        "expected": 5,
    }
    bank = loaded(tmp_path, [question, content(id=2)])
    before = [selection(bank, [task]) for task in bank.tasks]
    monkeypatch.setattr("orket_lib.tasks.task.render", lambda parts: "Please!")
    after = [selection(bank, [task]) for task in bank.tasks]
    assert [one == other for one, other in zip(before, after, strict=True)] == [True, False]


def test_the_reference_banks_identity_is_that_of_its_content() -> None:
    """What was measured with it stays measured."""
    from orket_lib.artifacts.digest import sha256_of

    path = ROOT / "config" / "task_banks" / "reference.json"
    bank = load_bank(path)
    raw = json.loads(path.read_text(encoding="utf-8"))["tasks"]
    assert selection(bank, bank.tasks).sha256 == sha256_of(raw)
