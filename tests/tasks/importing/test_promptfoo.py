"""Tests of promptfoo, as far as they are data."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from imported_files import imported, read, refusal

from orket_lib.tasks.bank import Task
from orket_lib.tasks.grading.graders import judge

CONFIG = """
description: translations
prompts:
  - 'Say "{{word}}" in {{language}}. One word.'
  - 'Translate to {{ language }}: {{ word }}'
providers: [ollama:chat:phi3]
defaultTest:
  vars: {language: Spanish}
tests:
  - description: a pet
    vars: {word: dog}
    assert:
      - {type: icontains, value: perro}
      - {type: not-icontains, value: 'el {{word}}'}
  - vars: {word: cat, language: French}
    assert:
      - {type: equals, value: chat, weight: 1}
"""


def graded(tmp_path: Path, *asserts: dict[str, Any], **options: Any) -> Task:
    (task,) = read(tmp_path, config(*asserts), "a.yaml", **options).tasks
    return task


def config(*asserts: dict[str, Any], **test: Any) -> str:
    return json.dumps(
        {"prompts": ["{{q}}"], "tests": [{"vars": {"q": "Hi."}, "assert": asserts, **test}]}
    )


@pytest.mark.parametrize("name", ["a.yaml", "a.yml"])
def test_each_test_is_asked_with_each_prompt(tmp_path: Path, name: str) -> None:
    found = imported(tmp_path, CONFIG, name)
    assert [task.prompt.split("\n")[0] for task in found.bank.tasks] == [
        'Say "dog" in Spanish. One word.',
        "Translate to Spanish: dog",
        'Say "cat" in French. One word.',
        "Translate to French: cat",
    ]
    dog, _, cat, _ = found.bank.tasks
    assert judge(dog, "Perro").passed
    assert not judge(dog, "El dog, perro").passed
    assert judge(cat, "chat").passed
    assert not judge(cat, "chats").passed
    assert found.notes[1] == (
        "read as: prompts with their variables, graded by their asserts; "
        "graders: contains 2, exact 2"
    )


@pytest.mark.parametrize(
    ("asserts", "right", "wrong"),
    [
        ([{"type": "equals", "value": "a b"}], "a b", "a b c"),
        ([{"type": "equals", "value": 4}], "4", "5"),
        ([{"type": "equals", "value": {"a": [1]}}], '{"a": [1]}', '{"a": [2]}'),
        ([{"type": "contains", "value": "Oslo"}], "It is Oslo.", "It is oslo."),
        ([{"type": "icontains", "value": "Oslo"}], "it is oslo.", "It is Bern."),
        ([{"type": "contains-all", "value": ["a", "b"]}], "b, a", "a, c"),
        ([{"type": "contains-any", "value": ["a", 7]}], "7 c", "b c"),
        ([{"type": "icontains-all", "value": ["a", "b"]}], "B, A", "A, C"),
        ([{"type": "icontains-any", "value": ["x", "b"]}], "B", "C"),
        (
            [{"type": "contains", "value": "a"}, {"type": "not-contains", "value": "z"}],
            "a b",
            "a z",
        ),
        ([{"type": "starts-with", "value": "Dear (all)"}], "Dear (all),\nhi", "Oh, Dear (all)"),
        ([{"type": "regex", "value": "\\d{4}-\\d\\d"}], "On 2024-05, yes.", "On 24-05."),
        ([{"type": "is-json"}], '{"a": 1}', "a: 1"),
        (
            [{"type": "is-json", "value": {"type": "object", "required": ["a"]}}],
            '{"a": 1}',
            '{"b": 1}',
        ),
        (
            [{"type": "is-json"}, {"type": "contains", "value": "Hi", "metric": "x"}],
            '["Hi"]',
            '["Ho"]',
        ),
    ],
    ids=lambda value: ascii(value)[:50],
)
def test_an_assert_becomes_a_grader(
    tmp_path: Path, asserts: list[dict[str, Any]], right: str, wrong: str
) -> None:
    task = graded(tmp_path, *asserts)
    assert judge(task, right).passed
    assert not judge(task, wrong).passed


def test_a_test_without_asserts_counts_for_agreement(tmp_path: Path) -> None:
    task = graded(tmp_path)
    assert (task.prompt, task.evaluations[0].type) == ("Hi.", "agrees")


@pytest.mark.parametrize(
    ("asserts", "said"),
    [
        ([{"type": "llm-rubric", "value": "nice"}], "type `llm-rubric` can't be imported; equals,"),
        ([{"type": "javascript", "value": "output.length"}], "type `javascript` can't be"),
        ([{"type": "python", "value": "len(output)"}], "type `python` can't be imported"),
        ([{"type": "not-regex", "value": "x"}], "type `not-regex` can't be imported"),
        ([{"type": "contains"}], "type `contains` needs a value"),
        ([{"type": "contains", "value": {"a": 1}}], "`contains` needs text (got {'a': 1})"),
        ([{"type": "contains", "value": "file://x.txt"}], "`file://x.txt` is a file; put its"),
        ([{"type": "contains", "value": "x", "weight": 2}], "`weight` of type `contains` can't"),
        ([{"type": "contains", "value": "x", "transform": "y"}], "`transform` of type `contains`"),
        ([{"type": "not-contains", "value": "x"}], "all or any: at least one text"),
        (
            [{"type": "contains", "value": "x"}, {"type": "icontains", "value": "y"}],
            "contains and icontains in one test can't be imported",
        ),
        ([{"type": "contains-any", "value": ["x"]}] * 2, "`contains-any` twice in one test"),
        ([{"type": "regex", "value": "("}], "not a regular expression"),
        ([{"type": "is-json", "value": "x"}], "the schema of `is-json` must be a mapping"),
        ([{"type": "contains", "value": "{{gone}}"}], "'gone' is undefined"),
        (["contains"], "must be a mapping with a type (got 'contains')"),
    ],
    ids=lambda value: ascii(value)[:50],
)
def test_what_is_no_data_is_refused_by_name(tmp_path: Path, asserts: list[Any], said: str) -> None:
    head, found = refusal(tmp_path, config(*asserts), "a.yaml")
    assert head == "can't be imported (promptfoo, 1 tests; columns: vars, assert, template):"
    assert found.startswith("test 1: ")
    assert said in found


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"tests": "file://tests.csv"}', "tests: must be a list of tests here (got 'file://"),
        ('{"tests": ["file://a.yaml"]}', "test 1: must be a mapping here (got 'file://a.yaml')"),
        ('{"prompts": ["file://p.txt"], "tests": [{}]}', "prompts: `file://p.txt` is a file"),
        ('{"prompts": "prompt.txt", "tests": [{}]}', "prompts: `prompt.txt` is a file; put"),
        ('{"prompts": [{"id": "x"}], "tests": [{}]}', "prompts: must be text here"),
        (
            '{"prompts": ["[{\\"role\\": \\"user\\"}]"], "tests": [{}]}',
            "a list of chat messages can't",
        ),
        ('{"scenarios": [1], "tests": [{}]}', "scenarios: can't be imported"),
        ('{"tests": [{"vars": {"a": "x"}}]}', "of the variables a none looks like a prompt; type"),
        (config(threshold=0.5), "test 1: threshold: can't be imported"),
        (config(vars={"q": ["a", "b"]}), "test 1: vars.q: is a list, which stands for several"),
        (config(vars={"q": "file://q.txt"}), "test 1: vars.q: `file://q.txt` is a file"),
        (config(vars={}), "test 1: prompt: 'q' is undefined"),
    ],
    ids=lambda value: ascii(value)[:60],
)
@pytest.mark.parametrize("name", ["a.yaml", "a.json"])
def test_a_config_that_can_not_be_imported_is_explained(
    tmp_path: Path, text: str, said: str, name: str
) -> None:
    assert said in " ".join(refusal(tmp_path, text, name))


def test_a_variable_can_be_the_prompt(tmp_path: Path) -> None:
    text = '[{"vars": {"a": "Hi.", "question": "Ho."}, "assert": [{"type": "is-json"}]}]'
    (by_name,) = read(tmp_path, text, "a.yaml").tasks
    (by_option,) = read(tmp_path, text, "a.yaml", columns={"prompt": "a"}).tasks
    assert (by_name.prompt[:3], by_option.prompt[:3]) == ("Ho.", "Hi.")


CELLS = """question,tone,__expected,__expected2,__description
Capital of Norway?,plain,contains: Oslo,,a capital
Two primes?,plain,"contains-all: 2, 3",not-contains: 4,
As JSON?,plain,is-json,,
Word?,plain,note: this is text,,
"""


def test_a_table_of_tests_has_its_asserts_in_cells(tmp_path: Path) -> None:
    found = imported(tmp_path, CELLS, "tests.csv")
    oslo, primes, any_json, text = found.bank.tasks
    assert oslo.prompt == "Capital of Norway?"
    assert judge(oslo, "It's Oslo.").passed
    assert judge(primes, "3 and 2").passed
    assert not judge(primes, "2, 3, 4").passed
    assert judge(any_json, "[]").passed
    assert judge(text, "note: this is text").passed
    bad = CELLS.replace("is-json", "llm-rubric: is nice")
    assert "type `llm-rubric` can't be imported" in refusal(tmp_path, bad, "tests.csv")[1]
