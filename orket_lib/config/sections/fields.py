"""Base class and shared field types of the config's sections."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from typing import Annotated, Any, TypeVar, get_args

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

from orket_lib.vocabulary.quants import normalize_tag

T = TypeVar("T")
M = TypeVar("M", bound=BaseModel)

# Our own error type; `messages` adds what is allowed instead.
WRONG_TYPE = "wrong_type"

# In the name of a file or tag, anything in braces is a placeholder. A command may hold JSON or
# code: there only a word in braces counts, and not the shell's `${NAME}`.
IN_A_NAME = re.compile(r"\{([^{}]*)\}")
IN_A_COMMAND = re.compile(r"(?<!\$)\{( *[A-Za-z_][\w .-]*)\}")


class Section(BaseModel):
    """Some keys of the config.

    Numbers are not read from `yes`, NaN is refused, and empty text means null.
    """

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        allow_inf_nan=False,
        protected_namespaces=(),
        defer_build=True,  # only SweepConfig, which inherits all sections, validates
    )

    @field_validator("*", mode="before")
    @classmethod
    def _a_number_is_not_true(cls, value: object, info: ValidationInfo) -> object:
        """Refuse `canary_runs: yes`, which would otherwise be one run."""
        field = cls.model_fields[info.field_name or ""]
        accepts = field.annotation is bool or Switch in field.metadata
        if isinstance(value, bool) and not accepts:
            raise PydanticCustomError(WRONG_TYPE, "must not be true or false")
        return value

    @field_validator("*", mode="before")
    @classmethod
    def _empty_text_is_null(cls, value: object, info: ValidationInfo) -> object:
        """Take `base_url: ""` as `--config base_url=` is taken, where null is allowed."""
        allowed = get_args(cls.model_fields[info.field_name or ""].annotation)
        return None if value == "" and type(None) in allowed else value


def from_fields(kind: type[M], source: object, prefix: str = "", /, **given: Any) -> M:
    """Return a model whose fields are taken from attributes of the same names.

    Args:
        kind: The model.
        source: Has the attributes; a field that it lacks keeps its default.
        prefix: Of the attributes' names.
        given: Fields that are not taken from `source`.
    """
    names = [name for name in kind.model_fields if hasattr(source, prefix + name)]
    return kind(**{name: getattr(source, prefix + name) for name in names} | given)


def refuse_placeholders(
    texts: Iterable[str], known: Collection[str], pattern: re.Pattern[str] = IN_A_NAME
) -> None:
    """Refuse a template with an unknown placeholder.

    Args:
        texts: The template, or its parts.
        known: The placeholders that exist, without braces.
        pattern: Finds the placeholders in a text.

    Raises:
        ValueError: Names each of them, and those that exist.
    """
    found = dict.fromkeys(name for text in texts for name in pattern.findall(text))
    unknown = [f"`{{{name}}}`" for name in found if name not in known]
    if unknown:
        are_unknown = "is no placeholder" if len(unknown) == 1 else "are no placeholders"
        valid = ", ".join(f"{{{name}}}" for name in known)
        raise ValueError(f"{', '.join(unknown)} {are_unknown}; valid are {valid}")


def refuse_repeats(values: Sequence[str]) -> None:
    """Refuse a list with repeated values.

    Raises:
        ValueError: Names each of them.
    """
    repeated = [value for value, count in Counter(values).items() if count > 1]
    if repeated:
        names = ", ".join(f"`{value}`" for value in repeated)
        raise ValueError(f"{names} {'is' if len(repeated) == 1 else 'are'} listed more than once")


def listed(value: object) -> object:
    """Accept `a, b` for `[a, b]`, which is hard to write on a command line."""
    if isinstance(value, str):
        return tuple(part for part in (part.strip() for part in value.split(",")) if part)
    return value


def _listed_numbers(value: object) -> object:
    """Accept a single number, too."""
    return (value,) if isinstance(value, int | float) else listed(value)


def _as_text(value: object) -> object:
    """Accept a number as text, such as `OMP_NUM_THREADS: 4`; `yes` is still refused."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return str(value) if number else value


def _no_switch(value: object) -> object:
    """Refuse `yes` as a value of a mapping; of a key, `Section` does."""
    if isinstance(value, bool):
        raise PydanticCustomError(WRONG_TYPE, "must not be true or false")
    return value


def _as_switch(value: object) -> object:
    """Accept true and false as `on` and `off`."""
    return value if not isinstance(value, bool) else "on" if value else "off"


def listing(item: dict[str, Any]) -> WithJsonSchema:
    """Return the JSON schema of a list that may be written as text."""
    as_list = {"type": "array", "items": item, "minItems": 1}
    return WithJsonSchema({"anyOf": [as_list, {"type": "string", "title": "comma-separated text"}]})


Words = Annotated[str, BeforeValidator(_as_text)]  # `sweep: 2024`, `affinity_policy: 0`
Text = Annotated[Words, WithJsonSchema({"type": ["string", "number"]})]
Names = Annotated[
    tuple[str, ...], BeforeValidator(listed), Field(min_length=1), listing({"type": "string"})
]
NoSwitch = BeforeValidator(_no_switch)  # of a number inside a mapping
Rate = Annotated[float, Field(ge=0, le=1)]
_Numbers = Annotated[tuple[T, ...], BeforeValidator(_listed_numbers), Field(min_length=1)]
DeviceNames = Annotated[_Numbers[Text], listing({"type": ["string", "integer"]})]
Contexts = Annotated[
    _Numbers[Annotated[int, Field(ge=256)]], listing({"type": "integer", "minimum": 256})
]
Tiers = Annotated[
    _Numbers[Annotated[int, Field(ge=1, le=6)]],
    listing({"type": "integer", "minimum": 1, "maximum": 6}),
]
Depths = Annotated[_Numbers[Rate], listing({"type": "number", "minimum": 0, "maximum": 1})]
# As `quants` are written: `q4_k_m` becomes `Q4_K_M`.
QuantTag = Annotated[str, AfterValidator(normalize_tag)]
# YAML reads a bare `on` or `off` as true or false.
Switch = BeforeValidator(_as_switch)
# 0 is how older matrix files say that a limit or a control is off.
OrOff = AfterValidator(lambda number: number or None)
TaskId = Annotated[int | None, Field(ge=0), OrOff]
