"""A task bank that is generated for a sweep, instead of read from a file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, model_validator

from orket_lib.artifacts.digest import DIGEST_LENGTH, sha256_of
from orket_lib.config.sections.fields import Names, Section, Tiers

_FOLDER = "storage/banks"


def _span(value: object) -> object:
    """Accept `1-3` for `[1, 2, 3]`."""
    found = re.fullmatch(r"\s*(\d)\s*-\s*(\d)\s*", value) if isinstance(value, str) else None
    levels = tuple(range(int(found[1]), int(found[2]) + 1)) if found else value
    if levels == ():
        raise ValueError("must be a level from 1 to 6, a list of them, or two such as 1-3")
    return levels


class GeneralTasks(Section):
    """Tasks of our own families, none of which is in the shipped bank."""

    families: Annotated[
        Names | None,
        Field(description="see `orket tasks generate --help`; null = all that run no code"),
    ] = None
    levels: Annotated[
        Tiers, BeforeValidator(_span), Field(description="difficulty: 2, 1-3 or [1, 3, 6]")
    ] = (1, 2, 3)
    n: Annotated[int, Field(ge=1, le=20_000, description="number of tasks")] = 200
    seed: Annotated[int, Field(description="another one gives other tasks")] = 1


class ReasoningGymTasks(Section):
    """Tasks of the package reasoning-gym, graded by its scorers."""

    families: Annotated[Names, Field(description="its data sets, such as chain_sum")]
    n: Annotated[int, Field(ge=1, le=20_000, description="number of tasks")] = 200
    seed: Annotated[int, Field(ge=0, description="another one gives other tasks")] = 1


class GeneratedBank(Section):
    """How the bank is made: one of these."""

    general: Annotated[
        GeneralTasks | None, Field(description="tasks of our own families, not the shipped ones")
    ] = None
    reasoning_gym: Annotated[
        ReasoningGymTasks | None,
        Field(description="needs `pip install 'orket-quant-sweep[reasoning-gym]'`"),
    ] = None

    @model_validator(mode="before")
    @classmethod
    def _is_of_one_kind(cls, values: Any) -> Any:
        """Accept `general:` with nothing below it, too."""
        if not isinstance(values, Mapping):
            return values
        given = {name: value for name, value in values.items() if value is not None}
        given = given or {name: {} for name in values}
        if len(given) != 1 or not given.keys() <= cls.model_fields.keys():
            raise ValueError(f"must be one of {' and '.join(cls.model_fields)}")
        return given

    @property
    def path(self) -> str:
        """The file that the sweep writes, so that you can read and list the tasks."""
        (kind,) = settings = self.model_dump(mode="json", exclude_none=True)
        return f"{_FOLDER}/{kind}-{sha256_of(settings)[:DIGEST_LENGTH]}.json"


def bank_path(named: object) -> str:
    """Return the file of a bank as a config or a summary names it: a path, or how it is made."""
    if isinstance(named, str):
        return named
    return GeneratedBank.model_validate(named, from_attributes=True).path
