"""What the sections of the config are made of: their base class and the types they share."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
)
from pydantic_core import PydanticCustomError

# The word for a type mistake; `wording` says what is allowed instead.
WRONG_TYPE = "wrong_type"


class Section(BaseModel):
    """Some keys of the config. A number is never taken from `yes`, and NaN is no number."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        allow_inf_nan=False,
        protected_namespaces=(),
        defer_build=True,  # only the whole config validates anything
    )

    @field_validator("*", mode="before")
    @classmethod
    def _a_number_is_not_true(cls, value: object, info: ValidationInfo) -> object:
        """Refuse `canary_runs: yes`, which would otherwise be one run."""
        field = cls.model_fields[info.field_name or ""]
        if isinstance(value, bool) and field.annotation is not bool:
            raise PydanticCustomError(WRONG_TYPE, "must not be true or false")
        return value


def only_placeholders(template: str, known: Collection[str]) -> str:
    """Return a template, refusing a placeholder that it can't have.

    Raises:
        ValueError: Naming it, and those that there are.
    """
    for name in re.findall(r"\{([^{}]*)\}", template):
        if name not in known:
            there_are = ", ".join(f"{{{placeholder}}}" for placeholder in known)
            raise ValueError(f"`{{{name}}}` is no placeholder; there are {there_are}")
    return template


def listed(value: object) -> object:
    """Accept `a, b` for `[a, b]`: on a command line a list is hard to write."""
    if isinstance(value, str):
        return tuple(part for part in (part.strip() for part in value.split(",")) if part)
    return value


def _listed_numbers(value: object) -> object:
    """Accept a lone number, too."""
    return (value,) if isinstance(value, int | float) else listed(value)


def _as_text(value: object) -> object:
    """Accept a number where text is meant, such as `OMP_NUM_THREADS: 4`; `yes` stays refused."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return str(value) if number else value


def _listing(item: dict[str, Any]) -> WithJsonSchema:
    as_list = {"type": "array", "items": item, "minItems": 1}
    return WithJsonSchema({"anyOf": [as_list, {"type": "string", "title": "comma-separated text"}]})


Words = Annotated[str, BeforeValidator(_as_text)]  # `sweep: 2024`, `affinity_policy: 0`
Text = Annotated[Words, WithJsonSchema({"type": ["string", "number"]})]
Names = Annotated[
    tuple[str, ...], BeforeValidator(listed), Field(min_length=1), _listing({"type": "string"})
]
Labels = Annotated[
    tuple[Text, ...],
    BeforeValidator(_listed_numbers),
    Field(min_length=1),
    _listing({"type": ["string", "integer"]}),
]
Contexts = Annotated[
    tuple[Annotated[int, Field(ge=256)], ...],
    BeforeValidator(_listed_numbers),
    Field(min_length=1),
    _listing({"type": "integer", "minimum": 256}),
]
Tiers = Annotated[
    tuple[Annotated[int, Field(ge=1, le=6)], ...],
    BeforeValidator(_listed_numbers),
    Field(min_length=1),
    _listing({"type": "integer", "minimum": 1, "maximum": 6}),
]
Rate = Annotated[float, Field(ge=0, le=1)]
Depths = Annotated[
    tuple[Rate, ...],
    BeforeValidator(_listed_numbers),
    Field(min_length=1),
    _listing({"type": "number", "minimum": 0, "maximum": 1}),
]
TaskId = Annotated[int, Field(ge=1)]
