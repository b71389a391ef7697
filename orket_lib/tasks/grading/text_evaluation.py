"""The settings of the graders for text: one model for each."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictFloat,
    StrictInt,
    model_validator,
)

from orket_lib.artifacts.measurements.spec import later
from orket_lib.tasks.answers import normalize
from orket_lib.tasks.grading.limited_checks import schema_problem

MAX_PATTERN_CHARS = 2000
MAX_NESTING = 64  # of expected JSON

Text = Annotated[str, Field(min_length=1)]


class Strict(BaseModel):
    """A part of a bank: frozen, without unknown keys, NaN or infinities."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        allow_inf_nan=False,
        protected_namespaces=(),
        defer_build=True,
    )


class ContentOrForm(Strict):
    """What graders of content have in common."""

    form_counts: StrictBool = later(
        False,
        "the form is part of what is asked: right content in sentences, Markdown or with other "
        "separators fails",
    )


class Exact(ContentOrForm):
    """The answer says this text."""

    type: Literal["exact"]
    expected: Text
    ignore_case: StrictBool = later(False, "upper and lower case don't matter")

    @model_validator(mode="after")
    def _says_something(self) -> Exact:
        if not normalize(self.expected):
            raise ValueError("expected: more than white space, or an empty answer would pass")
        return self


class Choice(ContentOrForm):
    """The answer chooses one of several options."""

    type: Literal["choice"]
    options: dict[Annotated[str, Field(pattern="^[A-Za-z0-9]{1,3}$")], Text] = Field(
        min_length=2, description="text by label, in the order in which they are shown"
    )
    expected: str = Field(description="the right label")

    @model_validator(mode="after")
    def _expected_is_an_option(self) -> Choice:
        if self.expected not in self.options:
            raise ValueError(f"expected is one of {', '.join(self.options)}, got {self.expected!r}")
        if len({label.casefold() for label in self.options}) < len(self.options):
            raise ValueError("labels differ in more than upper and lower case")
        return self


class Label(ContentOrForm):
    """The answer names one of a few words."""

    type: Literal["label"]
    expected: Text
    labels: tuple[Text, ...] = Field(
        min_length=2, max_length=500, description="what it may name; case doesn't matter"
    )

    @model_validator(mode="after")
    def _expected_is_a_label(self) -> Label:
        if self.expected not in self.labels:
            raise ValueError(f"expected is one of labels, got {self.expected!r:.60}")
        if len({label.casefold() for label in self.labels}) < len(self.labels):
            raise ValueError("labels differ in more than upper and lower case")
        return self


class Number(ContentOrForm):
    """The answer states one number."""

    type: Literal["number"]
    expected: StrictInt | StrictFloat
    tolerance: float = Field(
        0, ge=0, description="largest difference; 0 means equality, for fractions to 9 digits"
    )


def _nested(value: Any) -> Any:
    """Refuse JSON that is nested too deeply to be compared."""
    level: list[Any] = [value]
    for _ in range(MAX_NESTING):
        inner: list[Any] = []
        for one in level:
            inner += one.values() if isinstance(one, dict) else one if isinstance(one, list) else ()
        level = inner
    if any(isinstance(one, dict | list) for one in level):
        raise ValueError(f"lists and objects, nested at most {MAX_NESTING} deep")
    return value


ComparedJson = Annotated[Any, AfterValidator(_nested)]


class JsonValue(ContentOrForm):
    """The answer states this JSON value."""

    type: Literal["json"]
    expected: ComparedJson


class JsonList(ContentOrForm):
    """The answer states a JSON list; each element is a check."""

    type: Literal["json_list"]
    expected: tuple[ComparedJson, ...] = Field(min_length=1, max_length=200)


class JsonSchema(ContentOrForm):
    """The answer states a JSON value that is valid under a schema."""

    type: Literal["json_schema"]
    rules: dict[str, Any] = Field(
        alias="schema", description="JSON Schema, draft 2020-12; `$ref` only within it"
    )

    @model_validator(mode="after")
    def _is_a_schema(self) -> JsonSchema:
        if problem := schema_problem(self.rules):
            raise ValueError(problem)
        return self


class ExpectedCall(Strict):
    """A call of a tool."""

    name: Text
    arguments: dict[str, ComparedJson] = Field(default_factory=dict)


def _calls(value: object) -> object:
    return [value] if isinstance(value, dict) else value


class ToolCalls(ContentOrForm):
    """The answer calls these tools, in this order: through the API, or written as JSON."""

    type: Literal["tool_call"]
    expected: Annotated[
        tuple[ExpectedCall, ...],
        Field(min_length=1, max_length=20),
        BeforeValidator(_calls, json_schema_input_type=ExpectedCall | list[ExpectedCall]),
    ] = Field(description="one call, or a list of them")


class Regex(ContentOrForm):
    """The answer matches a Python regular expression."""

    type: Literal["regex"]
    pattern: str = Field(min_length=1, max_length=MAX_PATTERN_CHARS)
    flags: tuple[Literal["ignorecase", "multiline", "dotall"], ...] = ()
    anywhere: StrictBool = Field(
        False, description="found somewhere in the answer, instead of matching all of its result"
    )

    @model_validator(mode="after")
    def _compiles(self) -> Regex:
        try:
            re.compile(self.pattern)
        except (re.error, OverflowError, RecursionError) as error:
            raise ValueError(f"not a regular expression: {error}") from None
        return self


class Contains(Strict):
    """Texts that occur in the answer, or don't."""

    type: Literal["contains"]
    all: tuple[Text, ...] = Field((), description="each of them occurs")
    any: tuple[Text, ...] = Field((), description="at least one of them occurs")
    none: tuple[Text, ...] = Field((), description="none of them occurs")
    ignore_case: StrictBool = False
    whole_words: StrictBool = later(
        False, "a text that begins or ends inside a longer word does not count"
    )

    @model_validator(mode="after")
    def _asks_for_something(self) -> Contains:
        if not (self.all or self.any):
            raise ValueError("all or any: at least one text, or an empty answer would pass")
        return self


class Agrees(Strict):
    """No right answer is known; answers are only compared with the baseline's."""

    type: Literal["agrees"]


class ReasoningGym(Strict):
    """The answer is right by the scorer of a data set of the package reasoning-gym."""

    type: Literal["reasoning_gym"]
    family: Text = Field(description="the data set")
    entry: dict[str, ComparedJson] = Field(
        description="an item of it, with `question`, `answer` and `metadata`"
    )


TextEvaluation = (
    Exact
    | Choice
    | Label
    | Number
    | JsonValue
    | JsonList
    | JsonSchema
    | ToolCalls
    | Regex
    | Contains
    | Agrees
    | ReasoningGym
)
