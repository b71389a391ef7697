"""The preflight verdict: whether everything that a sweep needs is available."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from orket_lib.artifacts.base import Artifact, Record
from orket_lib.artifacts.measurements.serving import ServerLocation
from orket_lib.artifacts.measurements.spec import SandboxKind
from orket_lib.vocabulary.providers import PROVIDERS
from orket_lib.vocabulary.statuses import VramGuard, VramProfile

QUANTIZE_BINARY = "quantize.binary"  # program that only quantized files need


def _known(provider: str) -> str:
    if provider not in PROVIDERS:
        raise ValueError(f"must be {', '.join(PROVIDERS)}")
    return provider


class PreflightCheck(Record):
    """One check."""

    name: str
    ok: bool
    detail: str
    warning: bool = Field(False, description="does not stop the sweep")
    remedy: str | None = Field(None, description="command that provides what is missing")

    def of_one_model(self) -> PreflightCheck:
        """Return the check of a model that can't be measured, in a sweep with others that can."""
        detail = f"{self.detail}; its own rows fail, the others are measured"
        return self.model_copy(update={"ok": True, "warning": True, "detail": detail})


class Preflight(Artifact):
    """`preflight.json`: a verdict, which later rules read."""

    schema_version: Literal["orket.preflight.v1"] = "orket.preflight.v1"
    passed: bool
    checks: tuple[PreflightCheck, ...]


class NeededModel(Record):
    """The model that one cell serves."""

    model_id: str
    quant_tag: str
    file: str | None = Field(None, description="path; null for a tag")
    tag: str | None = Field(None, description="name on the server; null for a file")
    pin: str | None = Field(None, description="digest that the server must report for the tag")
    base: str | None = Field(None, description="file that this one is quantized from")
    imatrix: str | None = Field(None, description="importance matrix that it is quantized with")

    @property
    def name(self) -> str:
        """The file or the tag."""
        return self.file or self.tag or ""


class ServerNeeds(Record):
    """What the models of one server need."""

    provider: Annotated[str, AfterValidator(_known)]
    place: ServerLocation = Field(default_factory=ServerLocation)
    models: tuple[NeededModel, ...] = ()
    programs: dict[str, str] = Field(
        default_factory=dict, description="name or path of each program, by the key that names it"
    )
    n_ctx: int | None = None
    cache_type_k: str | None = Field(None, description="of the KV cache; null = the server's")
    cache_type_v: str | None = None
    cpu_only: bool = Field(False, description="no part of a model is loaded on a GPU")
    gpu_devices: tuple[str, ...] | None = Field(None, description="null = all")
    vram_profile: VramProfile = VramProfile.SAFE
    vram_guard: VramGuard = VramGuard.WARN
    code_sandbox: tuple[SandboxKind, ...] | None = Field(
        None, description="where code in answers may run; null = no task needs it"
    )


class Needs(ServerNeeds):
    """What a sweep needs, as the workflow renders it from the config alone."""

    others: tuple[ServerNeeds, ...] = Field((), description="of the models of further servers")
