"""The report of `orket doctor`: what can be measured on this machine, and what can't."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from orket_lib.artifacts.base import Record
from orket_lib.artifacts.printed.offers import OfferedModel
from orket_lib.artifacts.views.preflight import PreflightCheck

Fit = Literal["safe", "balanced", "stress", "no", "unknown"]


class SeenModel(OfferedModel):
    """An offered model, and whether it fits into the free memory."""

    takes_mib: float | None = Field(
        None, description="estimated memory; null if the size is unknown"
    )
    at_least: bool = Field(False, description="the estimate excludes the KV cache")
    fits: Fit = Field("unknown", description="most conservative VRAM profile under which it fits")
    place: str | None = Field(None, description="of a file: the folder where it was found")

    @property
    def within(self) -> str:
        """Name of a file without the folder where it was found."""
        return self.name.removeprefix(f"{self.place}/")


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
    total_mib: float | None = Field(description="null if it shares the main memory")
    free_mib: float | None


class SeenProgram(Record):
    """A program that a sweep can use."""

    name: str
    path: str | None = Field(description="null if it is not installed")
    detail: str


class UnusableModel(Record):
    """A file that can't be served."""

    name: str
    detail: str = Field(description="what it is")
    remedy: str


class MissingReading(Record):
    """A reading that is null in measurements on this machine."""

    reading: str
    reason: str = Field(description="null reason, as in the artifacts")
    meaning: str


class SeenMachine(Record):
    """The machine that the doctor ran on."""

    fingerprint: str
    cpus: int = Field(description="logical CPUs of the machine")
    cpus_usable: float | None = Field(
        None, description="CPUs that a sweep here may keep busy; null in older reports"
    )
    cpu_limits: tuple[str, ...] = Field(
        (), description="what limits them: affinity, cpuset, quota of a container or job"
    )
    default_threads: int | None = Field(
        None, description="of a server that a sweep starts, without `threads` in the config"
    )
    memory_total_mib: float = Field(description="that a sweep here may use at most")
    memory_free_mib: float
    memory_limit: str | None = Field(
        None, description="limit of this container, job or user; null = the machine's memory"
    )
    cpu_time_limit_s: float | None = Field(
        None, description="CPU seconds after which the system ends a process; null = no limit"
    )
    unused_cpu_features: tuple[str, ...] = Field(
        (), description="of this CPU, that the embedded llama.cpp was not built for"
    )
    disk_free_mib: float = Field(description="on the disk that a sweep writes to")
    gpus: tuple[SeenGpu, ...]
    programs: tuple[SeenProgram, ...]
    notes: tuple[str, ...]


class DoctorReport(Record):
    """`orket doctor --json`."""

    schema_version: Literal["orket.doctor.v1"] = "orket.doctor.v1"
    machine: SeenMachine
    n_ctx: int = Field(description="context in tokens at which memory is estimated")
    servers: tuple[SeenServer, ...]
    files: tuple[SeenModel, ...] = Field(
        description="GGUF files in the usual folders, or in the given ones"
    )
    unusable: tuple[UnusableModel, ...] = Field((), description="files that can't be served")
    missing: tuple[MissingReading, ...]
    checks: tuple[PreflightCheck, ...] | None = Field(
        None, description="of the given config; null without a config"
    )
    suggestion: str | None = Field(
        None, description="a config that works here, as YAML; null with a given config"
    )
    no_suggestion: str | None = Field(
        None, description="why no config is suggested; null if one is, or is given"
    )

    @property
    def can_run(self) -> bool:
        """Whether the given config can be swept; without one, whether any config can."""
        if self.checks is None:
            return self.suggestion is not None
        return all(check.ok for check in self.checks)
