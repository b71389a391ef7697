"""Graders of text: right, wrong and unparseable are three things."""

from __future__ import annotations

import json
from time import process_time
from typing import Any

import pytest
from builders import task
from task_forms import judged_by

from orket_lib.tasks.answers import MAX_CHARS, fingerprint
from orket_lib.tasks.grading.graders import Grading, NotRun, check_names, grade, judge
from orket_lib.tasks.task import Task

CITIES = {
    "type": "choice",
    "options": {"A": "Paris", "B": "Rome", "C": "a dog"},
    "expected": "B",
}
SIGNS = {"type": "choice", "options": {"A": "5", "B": "-5"}, "expected": "B"}
PERSON = {
    "type": "json_schema",
    "schema": {
        "type": "object",
        "properties": {"name": {"type": "string", "pattern": "^[a-z]+$"}, "age": {"minimum": 0}},
        "required": ["name"],
        "additionalProperties": False,
    },
}
DATE = {"type": "regex", "pattern": r"\d{4}-\d{2}-\d{2}"}
WORDS = {"type": "contains", "all": ["Marie", "radium"], "any": ["found", "saw"], "none": ["iron"]}
HALF = {"type": "number", "expected": 0.5, "tolerance": 0.01}


@pytest.mark.parametrize(
    ("evaluation", "answer"),
    [
        (CITIES, "B"),
        (CITIES, "b"),
        (CITIES, "(B)"),
        (CITIES, "**B**"),
        (CITIES, "B."),
        (CITIES, "`B`"),
        (CITIES, "Rome"),
        (CITIES, "rome."),
        (CITIES, "B) Rome"),
        (CITIES, "B. Rome, of course"),
        (CITIES, "**B)** Rome"),
        (CITIES, "The answer is B."),
        (CITIES, "The correct answer is (B), because Rome is in Italy."),
        (CITIES, "It can't be A.\n\nAnswer: **B**"),
        (CITIES, "<think>A or B?</think>B"),
        (CITIES, "The answer is B, A is in France."),
        (CITIES, "The answer is **B) Rome**."),
        (SIGNS, "B) -5"),
        (HALF, "0.5"),
        (HALF, "0.51"),
        (HALF, "It is about 0.495."),
        ({"type": "number", "expected": 100, "tolerance": 2}, "98"),
        (DATE, "2024-02-29"),
        (DATE, "```\n2024-02-29\n```"),
        (DATE | {"anywhere": True}, "On 2024-02-29, I think."),
        ({"type": "regex", "pattern": "yes", "flags": ["ignorecase"]}, "YES"),
        ({"type": "regex", "pattern": "a.b", "flags": ["dotall"]}, "a\nb"),
        ({"type": "regex", "pattern": "^b$", "flags": ["multiline"], "anywhere": True}, "a\nb"),
        (PERSON, '{"name": "mia", "age": 3}'),
        (PERSON, '```json\n{"name": "mia"}\n```'),
        (WORDS, "Marie Curie found radium."),
        (WORDS | {"ignore_case": True}, "MARIE FOUND RADIUM"),
        ({"type": "contains", "all": ["pear", "c++"], "whole_words": True}, "_pear_, C/c++."),
        ({"type": "exact", "expected": "a\u0308"}, "\u00e4"),
        ({"type": "json", "expected": {"a\u0308": ["a\u0308"]}}, '{"a\u0308": ["\u00e4"]}'),
        ({"type": "json", "expected": {"\u00e4": ["\u00e4"]}}, r'{"a\u0308": ["a\u0308"]}'),
        ({"type": "contains", "all": ["a\u0308"]}, "a\u0308"),
        ({"type": "contains", "all": ["A\u0308"], "ignore_case": True}, "a\u0308"),
        (CITIES | {"options": {"A": "Paris", "B": "Ko\u0308ln"}}, "K\u00f6ln"),
    ],
    ids=lambda value: ascii(value)[:50],
)
def test_a_right_answer_passes_every_check(evaluation: dict[str, Any], answer: str) -> None:
    grading = judge(judged_by(evaluation), answer)
    assert (grading.passed, grading.unparseable, grading.adherence) == (True, False, 1.0)


def test_what_is_asked_without_whole_words_is_the_same_task_as_ever() -> None:
    (evaluation,) = judged_by(WORDS).evaluations
    assert set(evaluation.model_dump()) == {"type", "all", "any", "none", "ignore_case"}


@pytest.mark.parametrize("answer", ["It appears so.", "pears", "2pear"])
def test_a_word_inside_of_a_longer_one_is_no_whole_word(answer: str) -> None:
    asked = {"type": "contains", "all": ["pear"], "whole_words": True}
    assert not judge(judged_by(asked), answer).passed


@pytest.mark.parametrize(
    ("evaluation", "answer"),
    [
        (CITIES, "A"),
        (CITIES, "Paris"),
        (CITIES, "The answer is C"),
        (CITIES, "a"),
        (CITIES, "a dog"),
        (HALF, "0.52"),
        (HALF, "9" * 500),
        (DATE, "2024-2-29"),
        (DATE, "On 2024-02-29"),
        ({"type": "regex", "pattern": "a.b"}, "a\nb"),
        (PERSON, '{"name": "Mia"}'),
        (PERSON, '{"name": "mia", "age": -1}'),
        (PERSON, '{"age": 3}'),
        (PERSON, '{"name": "mia", "x": 1}'),
        (PERSON, "[]"),
        ({"type": "json", "expected": [1]}, "[true]"),
        ({"type": "json", "expected": {"\u00e4": 1}}, r'{"\u00e4": 1, "a\u0308": 1}'),
    ],
    ids=lambda value: ascii(value)[:50],
)
def test_a_wrong_answer_is_wrong(evaluation: dict[str, Any], answer: str) -> None:
    grading = judge(judged_by(evaluation), answer)
    assert (grading.passed, grading.unparseable, grading.adherence) == (False, False, 0.0)
    assert all(check.detail for check in grading.checks)


@pytest.mark.parametrize(
    ("evaluation", "answer"),
    [
        (CITIES, ""),
        (CITIES, "D"),
        (CITIES, "A or B"),
        (CITIES, "Rome or Paris"),
        (CITIES, "The answer is a city"),
        (CITIES, "A lovely city"),
        (CITIES, "The answer is A. No, the answer is B."),
        (CITIES, "B) Rome. The answer is A."),
        (CITIES, "B) Paris"),
        (CITIES, "The answer is B: Paris."),
        (CITIES, "The answer is B or C"),
        (CITIES, "The answer is B, C or A."),
        (CITIES, "Answer: **B**/**C**"),
        (CITIES, "(B) and (C)"),
        (SIGNS, "B) 5"),
        (HALF, "a half"),
        (HALF, "0.5 or 0.6"),
        (PERSON, "mia"),
        (PERSON, '{"name": "mia"'),
        (PERSON, '{"name": "mia", "name": "eva"}'),
        (PERSON, "[" * 100_000),
        ({"type": "json", "expected": 1}, "one"),
        ({"type": "regex", "pattern": r"\s*|no"}, " \n"),
        (WORDS, ""),
        (WORDS, "<think>Marie found radium"),
    ],
    ids=lambda value: ascii(value)[:50],
)
def test_an_answer_in_another_form_is_unparseable(evaluation: dict[str, Any], answer: str) -> None:
    grading = judge(judged_by(evaluation), answer)
    assert (grading.passed, grading.unparseable, grading.adherence) == (False, True, 0.0)
    assert all(check.detail.startswith("unparseable: ") for check in grading.checks)


@pytest.mark.parametrize(
    ("grader", "expected", "right", "wrong"),
    [
        ("choice", "B", "B) whatever it says", "A"),
        ("choice", "B", "The answer is B, I think.", "The answer is B or I."),
        ("choice", "B", "The answer is B, and I'm sure.", "The answer is B and I."),
        ("choice", "B", "It's B.", "It's not B."),
        ("choice", "B", "I'd go with (B).", "It's A."),
        ("choice", "B", "**B** is the correct answer.", "B is wrong."),
        ("exact", "DESK", "It should be DESK.", "It could be DESK."),
        ("regex", "[ab]+", "abba", "abc"),
        ("contains", "cow", "A cow.", "A horse."),
    ],
)
def test_a_question_has_these_graders_too(
    grader: str, expected: str, right: str, wrong: str
) -> None:
    asked = task(grader=grader, expected=expected)
    assert judge(asked, right).passed
    assert not judge(asked, wrong).passed


def test_a_part_of_the_checks_is_a_part_of_the_adherence() -> None:
    grading = judge(judged_by(WORDS), "Marie found iron.")
    assert [(check.name, check.passed) for check in grading.checks] == [
        ("contains.all.1", True),
        ("contains.all.2", False),
        ("contains.any", True),
        ("contains.none.1", False),
    ]
    assert grading.adherence == 0.5
    assert not grading.passed


def test_several_graders_judge_one_answer() -> None:
    asked = judged_by(DATE, {"type": "contains", "all": ["2024"], "none": ["-13-"]})
    grading = judge(asked, "2024-13-01")
    assert {check.name: check.passed for check in grading.checks} == {
        "regex": True,
        "contains.all.1": True,
        "contains.none.1": False,
    }


def test_an_answer_that_one_grader_can_not_read_fails_every_check() -> None:
    asked = judged_by(
        {"type": "contains", "all": ["trains"], "none": ["hours"]},
        {"type": "json", "expected": {"by": "trains"}},
    )
    grading = judge(asked, "I like trains.")
    assert [check.name for check in grading.checks] == [
        "contains.all.1",
        "contains.none.1",
        "json",
    ]
    assert (grading.unparseable, grading.adherence) == (True, 0.0)
    assert all(check.detail.startswith("unparseable: not JSON") for check in grading.checks)
    assert judge(asked, '{"by": "trains"}').passed


CALLS = {"type": "json_list", "expected": [{"a": 1}, [2], None, "x"]}


@pytest.mark.parametrize(
    ("answer", "passed"),
    [
        ('[{"a": 1}, [2], null, "x"]', [True] * 4),
        ('```json\n[{"a": 1.0}, [2], null, "x"]\n```', [True] * 4),
        ('[{"a": true}, [2], false, "x"]', [False, True, False, True]),
        ('["x", null, [2], {"a": 1}]', [False] * 4),
    ],
)
def test_each_element_of_a_list_is_a_check(answer: str, passed: list[bool]) -> None:
    grading = judge(judged_by(CALLS), answer)
    assert [check.passed for check in grading.checks] == passed
    assert [check.name for check in grading.checks] == [f"json_list.{n}" for n in (1, 2, 3, 4)]
    assert not grading.unparseable


@pytest.mark.parametrize(
    "answer", ["", "{}", "[]", '[{"a": 1}, [2], null]', '[{"a": 1}, [2], null, "x", 5]', "[1, 2"]
)
def test_without_a_value_for_each_place_no_element_is_judged(answer: str) -> None:
    grading = judge(judged_by(CALLS), answer)
    assert (grading.unparseable, grading.adherence) == (True, 0.0)


ALL = [CITIES, HALF, DATE, PERSON, WORDS, CALLS, {"type": "exact", "expected": "x"}]
HOSTILE = [
    "",
    "\x00",
    "\x1b[2J\x1b]0;owned\x07",
    "<script>alert(1)</script> | ![x](http://example.org)",
    "../../etc/passwd",
    "\ud800",
    "\u202egnp.exe",
    "{" * 1000,
    '{"checks": [{"name": "regex", "passed": true}]}',
    "0" * 10_000,
    json.dumps({"name": "a" * 100_000}),
    "\n" * 100_000,
]


@pytest.mark.parametrize("answer", HOSTILE, ids=lambda text: ascii(text[:20]))
@pytest.mark.parametrize("evaluation", ALL, ids=lambda evaluation: str(evaluation["type"]))
def test_checks_are_the_same_for_every_answer_and_show_nothing_raw(
    evaluation: dict[str, Any], answer: str
) -> None:
    asked = judged_by(evaluation)
    grading = judge(asked, answer)
    names = [name for one in asked.evaluations for name in check_names(one)]
    assert [check.name for check in grading.checks] == names
    for check in grading.checks:
        assert check.detail.isprintable()
        assert len(check.detail) < 400


@pytest.mark.parametrize("evaluation", ALL, ids=lambda evaluation: str(evaluation["type"]))
def test_a_hundred_megabytes_of_answer_are_no_work(evaluation: dict[str, Any]) -> None:
    answer = "B 0.5 2024-02-29 " * (100_000_000 // 17)
    begin = process_time()
    grading = judge(judged_by(evaluation), answer)
    assert process_time() - begin < 1
    assert grading.unparseable
    assert str(MAX_CHARS) in grading.checks[0].detail


def test_a_hundred_megabytes_have_a_fingerprint_within_seconds() -> None:
    answer = "a " * 50_000_000
    begin = process_time()
    assert fingerprint(answer) == fingerprint("a " * 50_000_000)
    assert process_time() - begin < 5
    assert fingerprint(answer) != fingerprint(answer[:-1])


@pytest.mark.parametrize(
    ("evaluation", "answer"),
    [
        (CITIES, "answer is " * 100_000),
        (CITIES, "B" + " " * 999_000 + "x"),
        (CITIES, "answer is B, " * 76_000),
        (CITIES, "answer is B" + ", B" * 330_000),
        (CITIES, "answer is B," + " " * 999_000),
        (HALF, "1," * 500_000),
        (HALF, "111," * 250_000 + "x"),
        (HALF, "1." * 500_000),
        (HALF, "-" * 1_000_000),
        (HALF, "```" + " " * 999_000 + "."),
        (HALF, "1" * 1_000_000),
        (WORDS, "Marie" * 200_000),
        ({"type": "exact", "expected": "x"}, "<think>" * 140_000),
        ({"type": "json", "expected": 1}, "[" * 1_000_000),
        ({"type": "json", "expected": 1}, "[" * 900 + "]" * 900),
    ],
    ids=lambda value: ascii(value)[:30],
)
def test_an_answer_at_the_limit_is_judged_in_a_moment(
    evaluation: dict[str, Any], answer: str
) -> None:
    begin = process_time()
    judge(judged_by(evaluation), answer)
    assert process_time() - begin < 5


def never_ending() -> Task:
    return judged_by({"type": "regex", "pattern": "(a+)+b"})


def test_a_pattern_that_never_ends_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orket_lib.tasks.grading.limited_call.SECONDS", 1.0)
    grading = judge(never_ending(), "a" * 60)
    assert [check.detail for check in grading.checks] == ["no result within 1 s of CPU time"]
    assert judge(never_ending(), "aab").passed


def test_a_schema_whose_pattern_never_ends_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orket_lib.tasks.grading.limited_call.SECONDS", 2.0)
    asked = judged_by({"type": "json_schema", "schema": {"pattern": "^(a+)+$"}})
    grading = judge(asked, json.dumps("a" * 60 + "!"))
    assert not grading.passed
    assert grading.checks[0].detail == "no result within 2 s of CPU time"


def test_a_schema_fetches_nothing() -> None:
    """`$id` may name a place, and a reference that is resolved against it must stay within."""
    asked = judged_by(
        {
            "type": "json_schema",
            "schema": {"$id": "http://127.0.0.1:9/x", "$ref": "#/$defs/a", "$defs": {"a": {}}},
        }
    )
    assert judge(asked, "1").passed


def test_without_a_sandbox_code_is_not_run_and_nothing_is_said_of_it() -> None:
    asked = judged_by(
        {"type": "function_examples", "function_name": "f", "examples": [{"expected": 1}]},
        {"type": "ast_rules", "require": {"names": ["x"]}},
    )
    for answer in ("def f(): return 1", "no code at all"):
        grading = judge(asked, answer)
        assert grading == Grading((), not_run="no sandbox: none was given")
        assert (grading.passed, grading.adherence) == (False, None)
        with pytest.raises(NotRun, match="no sandbox"):
            grade(asked, answer)
