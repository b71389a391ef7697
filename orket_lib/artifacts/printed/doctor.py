"""What the doctor found on a machine: what could be measured here, and what could not."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from orket_lib.artifacts.base import Record
from orket_lib.artifacts.printed.offers import OfferedModel
from orket_lib.artifacts.views.preflight import PreflightCheck

Fit = Literal["safe", "balanced", "stress", "no", "unknown"]


class SeenModel(OfferedModel):
    """A model on offer, and whether it fits into what is free."""

    takes_mib: float | None = Field(
        None, description="estimate of its memory; null when its size is not known"
    )
    at_least: bool = Field(False, description="the estimate leaves the KV cache out")
    fits: Fit = Field("unknown", description="most careful VRAM profile under which it fits")


class SeenServer(Record):
    """An address at which a server might listen."""

    provider: str
    base_url: str
    answers: bool
    detail: str
    build: str | None = None
    models: tuple[SeenModel, ...] = ()


class SeenGpu(Record):
    """A GPU that its driver shows."""

    index: int
    name: str
    uuid: str | None
    total_mib: float | None = Field(description="null where it shares the main memory")
    free_mib: float | None


class SeenProgram(Record):
    """A program that a sweep can use."""

    name: str
    path: str | None = Field(description="null when it is not there")
    detail: str


class MissingReading(Record):
    """Something that is null in what is measured here."""

    reading: str
    reason: str = Field(description="as it stands in the artifacts")
    meaning: str


class SeenMachine(Record):
    """The machine that the doctor ran on."""

    fingerprint: str
    cpus: int
    memory_total_mib: float
    memory_free_mib: float
    disk_free_mib: float = Field(description="where a sweep would write")
    gpus: tuple[SeenGpu, ...]
    programs: tuple[SeenProgram, ...]
    notes: tuple[str, ...]


class DoctorReport(Record):
    """`orket doctor --json`."""

    schema_version: Literal["orket.doctor.v1"] = "orket.doctor.v1"
    machine: SeenMachine
    n_ctx: int = Field(description="context in tokens at which memory is estimated")
    servers: tuple[SeenServer, ...]
    files: tuple[SeenModel, ...] = Field(description="GGUF files below models/")
    missing: tuple[MissingReading, ...]
    checks: tuple[PreflightCheck, ...] | None = Field(
        None, description="of the config that was given; null without one"
    )
    suggestion: str | None = Field(
        None, description="a config that works here, as YAML; null where a config was given"
    )

    @property
    def can_run(self) -> bool:
        """Whether the config that was given can be swept; without one, whether anything can."""
        if self.checks is None:
            return self.suggestion is not None
        return all(check.ok for check in self.checks)
