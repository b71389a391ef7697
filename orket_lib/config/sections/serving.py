"""Serving: which server, which model files or tags, and the settings of each request."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, ValidationInfo, field_validator

from orket_lib.artifacts.measurements.spec import CacheType, FlashAttention, OnServerDeath
from orket_lib.config.sections.fields import (
    DeviceNames,
    NoSwitch,
    Section,
    Switch,
    Text,
    refuse_placeholders,
)
from orket_lib.vocabulary.providers import PROVIDERS, server_address
from orket_lib.vocabulary.quants import normalize_tag

if TYPE_CHECKING:
    Provider = str
else:
    Provider = Literal[tuple(PROVIDERS)]
Table = dict[str, dict[str, str]]

_PLACEHOLDERS = ("model", "slug", "quant")
_DIGEST = re.compile(r"(sha256:)?[0-9a-f]{12,64}")


class Serving(Section):
    """What serves the models, and from where."""

    provider: Annotated[Provider, Field(description="what serves the models")] = "embedded"
    base_url: Annotated[
        str | None,
        Field(description="address of a running server", examples=["http://127.0.0.1:8080"]),
    ] = None
    allow_remote: Annotated[bool, Field(description="allow a base_url on another machine")] = False
    exclusive: Annotated[
        bool, Field(description="unload other models from a shared server before measuring")
    ] = False
    api_key: Annotated[
        str | None,
        Field(
            pattern=r"^\$\{ENV:[A-Za-z_][A-Za-z0-9_]*\}$",
            description="of the server, as ${ENV:NAME}: the environment variable that holds it",
        ),
    ] = None
    server_binary: Annotated[
        str, Field(min_length=1, description="program that provider llama_server starts")
    ] = "llama-server"
    server_args: Annotated[
        tuple[Text, ...],
        Field(description="further arguments for server_binary, such as [-ngl, 99, -fa, on]"),
    ] = ()
    gpu_devices: Annotated[
        DeviceNames | None, Field(description="GPUs to use, by UUID or index; null = all")
    ] = None
    machine: Annotated[
        str | None,
        Field(description="fingerprint of the machine that must measure; null = this one"),
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
        Field(
            description="digest that a cell must have: {model: {quant: digest}}; plain text if "
            "there is one cell"
        ),
    ] = None
    quant_bits: Annotated[
        dict[str, Annotated[float, NoSwitch]],
        Field(description="{tag: bits per weight} for unknown quant tags"),
    ] = Field(default_factory=dict)
    n_ctx: Annotated[
        int | None, Field(ge=256, description="context in tokens; null = the model's own")
    ] = None
    cache_type_k: Annotated[
        CacheType | None, Field(description="type of the keys in the KV cache; null = the server's")
    ] = None
    cache_type_v: Annotated[
        CacheType | None,
        Field(description="type of its values; a quantized one needs flash attention"),
    ] = None
    flash_attn: Annotated[
        FlashAttention | None,
        Switch,
        Field(description="flash attention; null leaves it to the server"),
    ] = None
    gpu_layers: Annotated[
        Annotated[int, Field(ge=0)] | Literal["search"] | None,
        Field(
            description="layers on the GPU; `search` finds the fewest that reach wants.decode_tps, "
            "else the most that fit; null leaves it to the server"
        ),
    ] = None
    batch_size: Annotated[
        int | None, Field(ge=1, description="tokens of a logical batch; null = the server's")
    ] = None
    ubatch_size: Annotated[
        int | None, Field(ge=1, description="tokens of a physical batch; null = the server's")
    ] = None
    on_server_death: Annotated[
        OnServerDeath,
        Field(
            description="what is lost when the server dies: the row, or only the current run "
            "(which scores 0); the server is then restarted up to 3 times"
        ),
    ] = "row"
    cooldown_target_c: Annotated[
        float | None,
        Field(
            gt=0,
            le=150,
            description="temperature to wait for before each load, °C; null = don't wait",
        ),
    ] = None
    cooldown_timeout_sec: Annotated[
        float, Field(gt=0, description="longest wait for it, s; the load then goes ahead")
    ] = 300.0
    temperature: Annotated[float, Field(ge=0, le=2, description="0 = greedy")] = 0.0
    max_output_tokens: Annotated[int, Field(ge=1, description="limit of each answer")] = 256
    task_timeout_sec: Annotated[float, Field(gt=0, description="of one task, s")] = 120.0
    thinking: Annotated[
        Literal["default", "on", "off"],
        Switch,
        Field(
            description="whether the model reasons before it answers, where server and model can "
            "switch that; default = as the server does without being asked"
        ),
    ] = "default"
    thinking_budget: Annotated[
        int | None,
        Field(
            ge=1, description="tokens after which the server ends the reasoning; null = no such end"
        ),
    ] = None

    @field_validator("base_url")
    @classmethod
    def _an_address(cls, url: str | None, info: ValidationInfo) -> str | None:
        return None if url is None else server_address(url, info.data.get("provider"))

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


def _digest(text: str) -> str:
    """Return a digest as servers and `sha256sum` print it, without its prefix."""
    lower = text.strip().lower()
    if not _DIGEST.fullmatch(lower):
        raise ValueError(f"`{text}` is not a SHA-256 (12 to 64 hex digits)")
    return lower.removeprefix("sha256:")
