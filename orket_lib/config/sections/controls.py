"""Experimental controls: what is held constant between cells."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator

from orket_lib.config.sections.fields import OrOff, Section, Words
from orket_lib.vocabulary.units import ALL_CPUS

LEAST_WARMUP = 3  # fewer show no trend


class Controls(Section):
    """Settings that are enforced and read back, rather than only recorded."""

    seed: Annotated[int | None, Field(ge=0, description="of the sampler")] = None
    threads: Annotated[
        int | None, Field(ge=0, description="of the server; 0 or null = usable cores"), OrOff
    ] = None
    affinity_policy: Annotated[
        Words,
        Field(
            pattern=r"^(all|\d{1,4}(-\d{1,4})?(,\d{1,4}(-\d{1,4})?)*)?$",
            description="CPUs of the server; empty = all",
            examples=["all", "0-3,6"],
        ),
    ] = ALL_CPUS
    warmup_steps: Annotated[
        Literal[0] | Annotated[int, Field(ge=3, le=50)],
        Field(description="at least this many; continues until steady; 0 = the default minimum"),
    ] = LEAST_WARMUP

    @field_validator("affinity_policy")
    @classmethod
    def _cpu_ranges_ascend(cls, policy: str) -> str:
        for part in policy.split(",") if policy not in ("", ALL_CPUS) else ():
            first, _, last = part.partition("-")
            if last and int(last) < int(first):
                raise ValueError(f"the range `{part}` runs backwards")
        return policy or ALL_CPUS

    @field_validator("warmup_steps")
    @classmethod
    def _zero_is_the_default(cls, steps: int) -> int:
        return steps or LEAST_WARMUP
