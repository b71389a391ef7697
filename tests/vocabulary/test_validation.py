"""Mistakes in words; equal ones are one message with its places."""

from __future__ import annotations

from typing import Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from orket_lib.vocabulary.errors import ConfigError
from orket_lib.vocabulary.validation import allowed, nearest, one_message_each, problems_of


def test_equal_mistakes_are_one_message_with_its_places_and_what_was_given() -> None:
    assert one_message_each(
        ["quants.0: must be text (got 4)", "seed: must be 1", "quants.1: must be text (got 5)"]
    ) == ["quants.0, .1: must be text (got 4, 5)", "seed: must be 1"]


def test_forty_of_them_are_one_message_that_has_every_place_and_a_few_values() -> None:
    (line,) = one_message_each(f"quants.{n}: must be text (got {n})" for n in range(40))
    assert line.startswith("quants.0, .1, .2, ")
    assert line.endswith(", .38, .39: must be text (got 0, 1, 2, 3, 4 and 35 more)")


def test_ten_thousand_of_them_are_a_message_that_can_be_read() -> None:
    (line,) = one_message_each(f"tags.m{n}.Q8_0: no tag" for n in range(10_000))
    assert line.endswith(", tags.m49.Q8_0 and 9950 more: no tag")


def test_only_what_follows_in_the_same_mapping_is_shortened() -> None:
    places = ("tags.a:7b.Q8_0", "tags.a:7b.Q6_K", "tags.b.Q6_K", "tags.b.Q8_0", "seed")
    assert one_message_each(f"{place}: wrong" for place in places) == [
        "tags.a:7b.Q8_0, .Q6_K, tags.b.Q6_K, .Q8_0, seed: wrong"
    ]


def test_one_value_of_many_places_is_said_once() -> None:
    assert one_message_each([f"row.{name}: must be 1 (got 2)" for name in "ab"]) == [
        "row.a, .b: must be 1 (got 2)"
    ]


def test_what_is_alone_or_of_another_shape_stays_as_it_is() -> None:
    alone = ["a: x (got (y))", "b: in\n  c.0: two\n  c.1: lines (got 1)", "without a place", ""]
    assert one_message_each([*alone, "without a place"]) == alone


def test_a_config_error_has_equal_problems_once() -> None:
    error = ConfigError(["a.0: must be text (got 1)", "a.1: must be text (got 2)"])
    assert error.problems == ("a.0, .1: must be text (got 1, 2)",)
    assert str(error) == "  a.0, .1: must be text (got 1, 2)"


class _Inner(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    count: int = Field(1, ge=0, le=6)
    share: float = 1.0
    kind: Literal["exact", "regex"] = "exact"


class _Outer(BaseModel):
    name: str = "x"
    inner: _Inner | list[_Inner]


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ({}, "inner: missing"),
        ({"name": 3, "inner": []}, "name: must be text (got 3)"),
        ({"inner": [{"count": 7}]}, "inner.0.count: must be <= 6 (got 7)"),
        ({"inner": [{"count": "1"}]}, 'inner.0.count: must be a whole number (got "1")'),
        ({"inner": [{"kind": "llm"}]}, "inner.0.kind: must be 'exact' or 'regex' (got \"llm\")"),
        ({"inner": [{"share": None}]}, "inner.0.share: must be a number (got null)"),
        ({"inner": [{"api_key": "hunter2"}]}, "inner.0.api_key: there is no such key"),
        ([], "(whole file): must be a mapping"),
    ],
    ids=str,
)
def test_a_violation_is_named_with_its_path_in_the_file(content: Any, line: str) -> None:
    with pytest.raises(ValidationError) as error:
        _Outer.model_validate(content)
    assert line in problems_of(error.value, content)
    assert "hunter2" not in "".join(problems_of(error.value, content))


def test_what_a_schema_allows_is_said_in_words() -> None:
    fields = _Inner.model_json_schema()["properties"]
    for field in fields.values():
        del field["title"]  # a title is a phrase of ours for an alternative
    assert {name: allowed(field) for name, field in fields.items()} == {
        "count": "a whole number from 0 to 6",
        "share": "a number",
        "kind": "`exact` or `regex`",
    }


def test_the_most_similar_name_is_suggested() -> None:
    assert nearest("Model-Id", ["model_id", "quant_tag"]) == "; did you mean `model_id`?"
    assert nearest("zzz", ["model_id"]) == ""
