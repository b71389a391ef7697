"""What the sections of the config are made of: their base class and the types they share."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from typing import Annotated, Any, get_args

from pydantic import (
    AfterValidator,
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

# What is meant as a placeholder: in the name of a file or tag, whatever is in braces; in a command,
# which may hold JSON or code, a word in braces, but not that of a shell's `${NAME}`.
IN_A_NAME = re.compile(r"\{([^{}]*)\}")
IN_A_COMMAND = re.compile(r"(?<!\$)\{( *[A-Za-z_][\w .-]*)\}")


class Section(BaseModel):
    """Some keys of the config.

    A number is never taken from `yes`, NaN is no number, and empty text is null.
    """

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

    @field_validator("*", mode="before")
    @classmethod
    def _empty_text_is_null(cls, value: object, info: ValidationInfo) -> object:
        """Take `base_url: ""` as `--config base_url=` is taken, where null is allowed."""
        allowed = get_args(cls.model_fields[info.field_name or ""].annotation)
        return None if value == "" and type(None) in allowed else value


def refuse_placeholders(
    texts: Iterable[str], known: Collection[str], pattern: re.Pattern[str] = IN_A_NAME
) -> None:
    """Refuse a template with a placeholder that there is not.

    Args:
        texts: The template, or its parts.
        known: The placeholders that there are, without braces.
        pattern: What is meant as a placeholder.

    Raises:
        ValueError: Naming each of them, and those that there are.
    """
    found = dict.fromkeys(name for text in texts for name in pattern.findall(text))
    unknown = [f"`{{{name}}}`" for name in found if name not in known]
    if unknown:
        are_none = "is no placeholder" if len(unknown) == 1 else "are no placeholders"
        there_are = ", ".join(f"{{{name}}}" for name in known)
        raise ValueError(f"{', '.join(unknown)} {are_none}; there are {there_are}")


def refuse_repeats(values: Sequence[str]) -> None:
    """Refuse a list that has a value twice.

    Raises:
        ValueError: Naming each of them.
    """
    repeated = [value for value, count in Counter(values).items() if count > 1]
    if repeated:
        names = ", ".join(f"`{value}`" for value in repeated)
        raise ValueError(f"{names} {'is' if len(repeated) == 1 else 'are'} listed more than once")


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
# 0 is how older matrix files say that a limit or a control is off.
OrOff = AfterValidator(lambda number: number or None)
TaskId = Annotated[int | None, Field(ge=0), OrOff]
