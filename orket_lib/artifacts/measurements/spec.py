"""The spec of a measurement: what is served and how, and which tasks and probes are run.

The digest of what is served, and how, names the cell's folder in the store: a changed setting is a
missing measurement, and changing it back costs nothing. The tasks, their repetitions and the number
of probes decide which parts of that folder are used, and which are missing. Paths and labels are
not in the spec: moving a model or relabelling a sweep measures nothing again.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

from pydantic import Field

from orket_lib.artifacts.base import Record
from orket_lib.artifacts.digest import canonical_json, digest_of
from orket_lib.artifacts.measurements.runner import RunnerSettings
from orket_lib.vocabulary.slugs import slug

SandboxKind = Literal["bubblewrap", "namespaces", "rlimits", "job_object"]

# Sandboxes that isolate code from files and the network.
WITH_WALLS: tuple[SandboxKind, ...] = ("bubblewrap", "namespaces")

# Version of the harness's meaning of a measurement. Raise it when a change makes old and new
# measurements incomparable; everything is then measured again.
CONTRACT = 1


OnServerDeath = Literal["row", "run"]

Thinking = Literal["on", "off"]

CacheType = Literal["f16", "bf16", "f32", "q8_0", "q5_1", "q5_0", "q4_1", "q4_0", "iq4_nl"]
FlashAttention = Literal["on", "off", "auto"]
# Settings of a load that a config may leave to the server, and llama-server's arguments for them.
LOAD_FLAGS = {
    "cache_type_k": ("--cache-type-k", "-ctk"),
    "cache_type_v": ("--cache-type-v", "-ctv"),
    "flash_attn": ("--flash-attn", "-fa"),
    "gpu_layers": ("--n-gpu-layers", "--gpu-layers", "-ngl"),
    "batch_size": ("--batch-size", "-b"),
    "ubatch_size": ("--ubatch-size", "-ub"),
}
# In place of a number of layers: the first session of the cell searches for it.
SEARCH: Literal["search"] = "search"
GpuLayers = int | Literal["search"]

ContextFamily = Literal["retrieval", "reasoning"]

# The same for the generator of prompts that fill a context.
CONTEXT_CONTRACT = 2
_MOST_RUNS = 100_000  # far more than a config can ask for
# Of a speed probe, where the context and the server allow them.
PROBE_PROMPT_TOKENS = 512
PROBE_OUTPUT_TOKENS = 128
# Tokens of a context that prompts leave free, for a follow-up of 32 and 8 of its answer.
CONTEXT_LEFT = 48


def later(default: Any, description: str) -> Any:
    """Return a field that was added after the first version.

    It is left out at its default, so that older measurements keep their digests.
    """
    return Field(default, description=description, exclude_if=lambda value: value == default)


class ArtifactIdentity(Record):
    """Which bytes are served."""

    sha256: str | None = Field(None, description="of a local file")
    tag: str | None = Field(None, description="name on a server, without a local file")
    pin: str | None = Field(None, description="digest that the server must report for the tag")
    quantized_from: str | None = later(
        None, "SHA-256 of the base of a file that is quantized on the way"
    )
    imatrix: str | None = later(None, "SHA-256 of the importance matrix that it is quantized with")


class ServerIdentity(Record):
    """A server that the harness does not start: its address, and what it says of itself.

    What it doesn't say is null, and contradicts nothing.
    """

    address: str = Field(description="in one spelling for all that reach the same server")
    build: str | None = Field(None, description="of the server")
    owner: str | None = Field(None, description="of the model, by the server's list of models")
    path: str | None = Field(None, description="name of the file or repository of the model")
    digest: str | None = Field(None, description="of the model")
    quant_tag: str | None = None
    bytes: int | None = Field(None, description="size of the weights")
    parameters: int | None = Field(None, description="number of weights")
    n_ctx: int | None = Field(None, description="largest context, or that of one request")

    @property
    def answered(self) -> bool:
        """Whether the server has said anything."""
        return any(value is not None for name, value in self if name != "address")

    def differences(self, now: ServerIdentity) -> list[str]:
        """Return how a later statement contradicts this one; empty if it doesn't."""
        pairs = ((name, before, getattr(now, name)) for name, before in self)
        return [
            f"{name} was {before} and is {after}"
            for name, before, after in pairs
            if before is not None and after is not None and before != after
        ]


class CooldownSettings(Record):
    """How cool the machine must be before a model is loaded."""

    target_c: float
    timeout_sec: float


class OffloadTargets(Record):
    """What a search for layers on the GPU aims at; without a rate, at the most that fit."""

    decode_tps: float | None = Field(None, description="tokens/s that the fewest layers reach")
    vram_gib: float | None = Field(None, description="most GPU memory; null = all that is free")


class ControlSettings(Record):
    """Controls that the config holds constant; null leaves one to the provider."""

    seed: int | None = None
    threads: int | None = None
    affinity_policy: str = "all"
    warmup_steps: int = Field(
        3, description="minimum; the warm-up continues until speeds are steady"
    )


class TaskSelection(Record):
    """Which tasks are sent, by content."""

    bank_id: str
    ids: tuple[int, ...]
    sha256: str = Field(description="of the selected tasks' canonical JSON")
    keys: tuple[str, ...] = later((), "digest of each task as it is sent, in the order of `ids`")


class ContextFill(Record):
    """How prompts fill a context, and which questions they ask about it."""

    contract: int = Field(CONTEXT_CONTRACT, description="of the generator of prompts")
    share: float = Field(description="of the context that a prompt fills, chat template included")
    families: tuple[ContextFamily, ...]
    depths: tuple[float, ...] = Field(description="position of the asked fact in the text, 0 to 1")
    tasks_per_depth: int

    def prompt_tokens(self, context: int) -> int:
        """Return the tokens of a prompt, which leaves space for the answer and a follow-up."""
        return min(int(self.share * context), context - CONTEXT_LEFT)


class Addressed(Record):
    """A record whose digest names the folder of its measurement."""

    def canonical(self) -> str:
        """Return the canonical JSON that the digest is made of."""
        return canonical_json(self.model_dump(mode="json"))

    def digest(self) -> str:
        """Return the digest that names the measurement's folder."""
        return digest_of(self.model_dump(mode="json"))


class MeasurementSpec(Addressed):
    """What every measurement of a loaded model depends on."""

    contract: int = CONTRACT
    model_id: str
    quant_tag: str
    provider: str
    provider_version: str | None = Field(None, description="of an embedded runtime")
    artifact: ArtifactIdentity
    server: ServerIdentity | None = later(
        None, "a running server that is used as it is; null = the harness starts one"
    )
    server_args: tuple[str, ...] = later((), "of a server that the harness starts")
    variant: str | None = later(None, "of the config, which the cell is; null = the plain one")
    cache_type_k: CacheType | None = later(None, "of the keys in the KV cache; null = the server's")
    cache_type_v: CacheType | None = later(None, "of the values in the KV cache")
    flash_attn: FlashAttention | None = later(None, "null leaves it to the server")
    gpu_layers: GpuLayers | None = later(
        None, "layers on the GPU; `search` finds them, null leaves it to the server"
    )
    offload: OffloadTargets | None = later(None, "of the search for layers; null without one")
    batch_size: int | None = later(None, "tokens of a logical batch; null = the server's")
    ubatch_size: int | None = later(None, "tokens of a physical batch; null = the server's")
    gpu_devices: tuple[str, ...] | None = later(None, "null = all")
    n_ctx: int | None = None
    temperature: float
    max_output_tokens: int
    task_timeout_sec: float
    thinking: Thinking | None = later(
        None, "whether the model reasons before it answers; null leaves it to the server"
    )
    thinking_budget: int | None = later(
        None, "tokens after which the server ends the reasoning; null sets none"
    )
    controls: ControlSettings
    tasks: TaskSelection
    sandbox: tuple[str, ...] = later(WITH_WALLS, "kinds that code in answers may run in")
    cooldown: CooldownSettings | None = later(None, "null = no cooldown")
    runner: RunnerSettings | None = later(
        None, "command that answers the tasks; null = the harness asks the model"
    )
    machine: str = Field(description="fingerprint of the machine that measures")

    @property
    def asked_layers(self) -> int | None:
        """The layers on the GPU; None where the server, or a search, decides."""
        return None if self.gpu_layers == SEARCH else self.gpu_layers

    def served(self) -> dict[str, Any]:
        """Return what is served and how, which names the cell's folder in the store."""
        fields = MeasurementSpec(**{name: getattr(self, name) for name in _SERVED_FIELDS})
        return fields.model_dump(mode="json", exclude=_NOT_SERVED)

    @property
    def folder(self) -> str:
        """The cell's folder relative to the root of the store, with forward slashes.

        Models with equal slugs share it up to the digest, which tells them apart. So the other
        models of a sweep never move a measurement.
        """
        return f"runs/{slug(self.model_id)}/{self.quant_tag}/{digest_of(self.served())}"


# Not part of what is served: the tasks, their sandbox, and what only speed probes depend on.
_NOT_SERVED: Any = {"tasks": True, "sandbox": True, "cooldown": True, "controls": {"warmup_steps"}}
_SERVED_FIELDS = tuple(MeasurementSpec.model_fields)


class RunSpec(MeasurementSpec):
    """A cell: one (model, quant) with its graded runs and its probes."""

    kind: Literal["run"] = "run"
    runs_per_task: int = Field(ge=0, le=_MOST_RUNS)
    probe_runs: int = Field(ge=0, le=_MOST_RUNS)
    on_server_death: OnServerDeath = later("row", "what is lost when the server dies")
    rerun_polluted: int = later(0, "maximum repeats of a disturbed step")
    context: ContextFill | None = later(None, "how prompts fill the context; null = they do not")
    repeated_tasks: int = later(0, "tasks that are asked once more, for the noise floor")

    def asked(self) -> Iterator[tuple[int, int]]:
        """Yield the graded runs of a round in order: the place of the task, and the run's index."""
        keys = self.tasks.keys
        for index in range(self.runs_per_task):
            yield from ((place, index) for place in range(len(keys)))
        # Digests are as good as random, and the same tasks have the same everywhere.
        again = set(sorted(keys)[: self.repeated_tasks])
        yield from ((place, self.runs_per_task) for place, key in enumerate(keys) if key in again)

    def digest(self) -> str:
        """Return the digest of what is served and how, without tasks and probes."""
        return digest_of(self.served())

    @property
    def probe_key(self) -> str:
        """Digest of the settings of the speed probes, without what is served."""
        key: dict[str, Any] = {
            "warmup_steps": self.controls.warmup_steps,
            "prompt_tokens": PROBE_PROMPT_TOKENS,
            "output_tokens": PROBE_OUTPUT_TOKENS,
        }
        for name in ("cooldown", "context"):
            if (value := getattr(self, name)) is not None:
                key[name] = value.model_dump(mode="json")
        return digest_of(key)


class CanarySpec(MeasurementSpec):
    """A canary: a few tasks of one cell, repeated."""

    kind: Literal["canary"] = "canary"
    runs: int
