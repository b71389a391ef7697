"""Files that hold settings by name: context profiles."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, field_validator

from orket_lib.config.fields import Rate


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class ContextProfile(_Strict):
    """Contexts to try, and what each must reach; a limit of 0 is off."""

    contexts: tuple[Annotated[int, Field(ge=256)], ...] = Field(min_length=1)
    adherence_min: Rate
    ttft_ceiling_ms: float = Field(ge=0)
    decode_floor_tps: float = Field(ge=0)

    @field_validator("contexts")
    @classmethod
    def _no_context_stands_twice(cls, contexts: tuple[int, ...]) -> tuple[int, ...]:
        if len(set(contexts)) < len(contexts):
            raise ValueError("a context stands twice")
        return contexts


class ContextProfiles(_Strict):
    """`config/context_profiles.json`."""

    profiles: dict[str, ContextProfile]
