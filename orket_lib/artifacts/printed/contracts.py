"""The result of checking artifacts against their published schemas."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from orket_lib.artifacts.base import Record


class CheckedArtifact(Record):
    """One file that was checked."""

    name: Literal["frontier", "context", "thermal"]
    path: str
    needed: str = Field(description="the schema_version that it was checked against")


class ContractCheck(Record):
    """`orket contracts --json`."""

    schema_version: Literal["orket.contracts.v1"] = "orket.contracts.v1"
    passed: bool
    checked: tuple[CheckedArtifact, ...]
    violations: tuple[str, ...] = Field(
        description="`<name>:missing:<place>` or `<name>:<place>:<what is wrong>`, by place"
    )
