"""Serving and controls: what serves a cell, and what is held constant while it does."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, field_validator

from orket_lib.artifacts.measurements.spec import OnServerDeath
from orket_lib.config.sections.fields import (
    Labels,
    OrOff,
    Section,
    Text,
    Words,
    refuse_placeholders,
)
from orket_lib.vocabulary.addresses import server_address
from orket_lib.vocabulary.cpus import ALL
from orket_lib.vocabulary.providers import PROVIDERS
from orket_lib.vocabulary.quants import normalize_tag

if TYPE_CHECKING:
    Provider = str
else:
    Provider = Literal[tuple(PROVIDERS)]
Table = dict[str, dict[str, str]]

_PLACEHOLDERS = ("model", "slug", "quant")
LEAST_WARMUP = 3  # fewer show no trend
_DIGEST = re.compile(r"(sha256:)?[0-9a-f]{12,64}")


class Serving(Section):
    """What serves the models, and from where."""

    provider: Annotated[Provider, Field(description="what serves the models")] = "embedded"
    base_url: Annotated[
        str | None,
        Field(
            description="address of a server that runs already", examples=["http://127.0.0.1:8080"]
        ),
    ] = None
    allow_remote: Annotated[bool, Field(description="let base_url be another machine")] = False
    exclusive: Annotated[
        bool, Field(description="unload other models from a shared server before measuring")
    ] = False
    api_key: Annotated[
        str | None,
        Field(
            pattern=r"^\$\{ENV:[A-Za-z_][A-Za-z0-9_]*\}$",
            description="of the server: ${ENV:NAME}, the variable that holds it",
        ),
    ] = None
    server_binary: Annotated[
        str, Field(min_length=1, description="of provider llama_server, which starts it")
    ] = "llama-server"
    server_args: Annotated[
        tuple[Text, ...],
        Field(description="more arguments for it, such as [-ngl, 99, -fa, on]"),
    ] = ()
    gpu_devices: Annotated[
        Labels | None, Field(description="GPUs to use, by UUID or index; null = all")
    ] = None
    machine: Annotated[
        str | None, Field(description="fingerprint that must measure; null = this machine")
    ] = None
    artifact_template: Annotated[
        str | None, Field(description="path of a cell's file, with {model}, {slug} and {quant}")
    ] = None
    artifacts: Annotated[
        Table, Field(description="{model: {quant: path}}, for cells that the template doesn't fit")
    ] = Field(default_factory=dict)
    tag_template: Annotated[
        str | None,
        Field(description="name of a cell on its server, with {model}, {slug} and {quant}"),
    ] = None
    tags: Annotated[
        Table, Field(description="{model: {quant: tag}}, for cells that the template doesn't fit")
    ] = Field(default_factory=dict)
    artifact_digest: Annotated[
        str | Table | None,
        Field(description="digest that a cell must have: {model: {quant: digest}}; text for one"),
    ] = None
    quant_bits: Annotated[
        dict[str, float], Field(description="{tag: bits per weight} for tags that we don't know")
    ] = Field(default_factory=dict)
    n_ctx: Annotated[
        int | None, Field(ge=256, description="context in tokens; null = the model's own")
    ] = None
    on_server_death: Annotated[
        OnServerDeath,
        Field(
            description="what a server that dies costs: the row, or the run that it took (which "
            "scores 0), started again up to 3 times"
        ),
    ] = "row"
    cooldown_target_c: Annotated[
        float | None,
        Field(
            gt=0, le=150, description="how cool the machine must be before each load; null = any"
        ),
    ] = None
    cooldown_timeout_sec: Annotated[
        float, Field(gt=0, description="how long is waited for that, s; then it goes on")
    ] = 300.0
    temperature: Annotated[float, Field(ge=0, le=2, description="0 = greedy")] = 0.0
    max_output_tokens: Annotated[int, Field(ge=1, description="limit of an answer")] = 256
    task_timeout_sec: Annotated[float, Field(gt=0, description="of one task, s")] = 120.0

    @field_validator("base_url")
    @classmethod
    def _an_address_without_password(cls, url: str | None) -> str | None:
        return None if url is None else server_address(url)

    @field_validator("artifact_template", "tag_template")
    @classmethod
    def _only_known_placeholders(cls, template: str | None) -> str | None:
        if template is not None:
            refuse_placeholders([template], _PLACEHOLDERS)
        return template

    @field_validator("artifacts", "tags")
    @classmethod
    def _tables_use_tags(cls, table: Table) -> Table:
        return {
            model: {normalize_tag(quant): named for quant, named in cells.items()}
            for model, cells in table.items()
        }

    @field_validator("artifact_digest")
    @classmethod
    def _pins_are_digests(cls, pins: str | Table | None) -> str | Table | None:
        if pins is None:
            return None
        if isinstance(pins, str):
            return _digest(pins)
        return {
            model: {normalize_tag(quant): _digest(pin) for quant, pin in cells.items()}
            for model, cells in pins.items()
        }

    @field_validator("quant_bits")
    @classmethod
    def _bits_use_tags(cls, bits: dict[str, float]) -> dict[str, float]:
        for tag, value in bits.items():
            if not 0 < value <= 64:
                raise ValueError(f"`{tag}`: {value:g} bits per weight is not between 0 and 64")
        return {normalize_tag(tag): value for tag, value in bits.items()}


class Controls(Section):
    """What is held constant: enforced and read back, no labels."""

    seed: Annotated[int | None, Field(ge=0, description="of the sampler")] = None
    threads: Annotated[
        int | None, Field(ge=0, description="of the server; 0 or null = physical cores"), OrOff
    ] = None
    affinity_policy: Annotated[
        Words,
        Field(
            pattern=r"^(all|\d{1,4}(-\d{1,4})?(,\d{1,4}(-\d{1,4})?)*)?$",
            description="CPUs of the server; nothing = all",
            examples=["all", "0-3,6"],
        ),
    ] = ALL
    warmup_steps: Annotated[
        Literal[0] | Annotated[int, Field(ge=3, le=50)],
        Field(description="at least so many; goes on until steady; 0 = no minimum of your own"),
    ] = LEAST_WARMUP

    @field_validator("affinity_policy")
    @classmethod
    def _cpu_ranges_ascend(cls, policy: str) -> str:
        for part in policy.split(",") if policy not in ("", ALL) else ():
            first, _, last = part.partition("-")
            if last and int(last) < int(first):
                raise ValueError(f"the range `{part}` runs backwards")
        return policy or ALL

    @field_validator("warmup_steps")
    @classmethod
    def _no_minimum_is_ours(cls, steps: int) -> int:
        return steps or LEAST_WARMUP


def _digest(text: str) -> str:
    """Return a digest as servers and `sha256sum` print it, without its prefix."""
    lower = text.strip().lower()
    if not _DIGEST.fullmatch(lower):
        raise ValueError(f"`{text}` is not a SHA-256 (12 to 64 hex digits)")
    return lower.removeprefix("sha256:")
