"""Two sweeps, compared: `orket compare`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from orket_lib.artifacts.base import Record
from orket_lib.artifacts.history import Change


class SweepComparison(Record):
    """`orket compare --json`."""

    schema_version: Literal["orket.sweep_comparison.v1"] = "orket.sweep_comparison.v1"
    a: str = Field(description="as it was named")
    b: str
    changes: tuple[Change, ...] = Field(
        description="from A to B; of numbers only those beyond noise"
    )
    within_noise: int = Field(description="numbers that differ by no more than noise")
    notes: tuple[str, ...] = Field(description="what is not compared, and why")
