"""The preflight verdict: whether everything that the sweep needs is there."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from orket_lib.artifacts.base import Artifact, Record


class PreflightCheck(Record):
    """One thing that was looked at."""

    name: str
    ok: bool
    detail: str


class Preflight(Artifact):
    """`results/preflight/verdict.json`: data, like every verdict; what follows asks it."""

    schema_version: Literal["orket.preflight.v1"] = "orket.preflight.v1"
    passed: bool
    checks: tuple[PreflightCheck, ...]


class Needs(Record):
    """What a sweep needs, as the workflow renders it."""

    files: tuple[str, ...]
    refusals: tuple[str, ...] = Field(
        (), description="what this version can plan and not run, a sentence each"
    )
