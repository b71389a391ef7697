"""The spec of a measurement: what is served and how, and what is asked of it.

What is served, and how, names the folder of a cell in the store, so that a changed setting is a
missing measurement and a reverted one costs nothing. Which tasks are asked, how often, and how many
speed probes are run decides which parts of that folder are used, and which are still missing. Paths
and labels are in neither: moving a model or relabelling a sweep measures nothing again.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from orket_lib.artifacts.base import Record
from orket_lib.artifacts.digest import canonical_json, digest_of
from orket_lib.artifacts.measurements.runner import RunnerSettings
from orket_lib.vocabulary.slugs import slug

SandboxKind = Literal["bubblewrap", "namespaces", "rlimits", "job_object"]

# Sandboxes that keep what runs in them from files and network.
WITH_WALLS: tuple[SandboxKind, ...] = ("bubblewrap", "namespaces")

# What the harness itself means by a measurement. Raise it when a change of the harness makes old
# and new measurements incomparable; everything is then measured again.
CONTRACT = 1


OnServerDeath = Literal["row", "run"]

ContextFamily = Literal["retrieval", "reasoning"]

# What the generator of prompts that fill a context means; like `CONTRACT`, for these alone.
CONTEXT_CONTRACT = 2
# Of a speed probe, where context and server allow them.
PROBE_PROMPT_TOKENS = 512
PROBE_OUTPUT_TOKENS = 128
# Tokens of a context that no prompt fills: a follow-up of 32, and 8 of an answer to it.
CONTEXT_LEFT = 48


def later(default: Any, description: str) -> Any:
    """Return a field that came after the first version.

    At its default it is left out, so that measurements from before keep their digests.
    """
    return Field(default, description=description, exclude_if=lambda value: value == default)


class ArtifactIdentity(Record):
    """Which bytes are to be served."""

    sha256: str | None = Field(None, description="of a local file")
    tag: str | None = Field(None, description="name on a server, where there is no local file")
    pin: str | None = Field(None, description="digest that the server must report for the tag")
    quantized_from: str | None = later(
        None, "SHA-256 of the file that one which is made is quantized from"
    )
    imatrix: str | None = later(None, "SHA-256 of the importance matrix that it is made with")


class CooldownSettings(Record):
    """How cool the machine has to be before a model is loaded."""

    target_c: float
    timeout_sec: float


class ControlSettings(Record):
    """What the config asks to hold constant; null leaves it to the provider."""

    seed: int | None = None
    threads: int | None = None
    affinity_policy: str = "all"
    warmup_steps: int = Field(3, description="at least that many; goes on until steady")


class TaskSelection(Record):
    """Which tasks are asked, by content."""

    bank_id: str
    ids: tuple[int, ...]
    sha256: str = Field(description="of the selected tasks' canonical JSON")
    keys: tuple[str, ...] = later(
        (), "of each task as it is sent, in the order of `ids`: what its answer depends on"
    )


class ContextFill(Record):
    """How prompts fill a context, and what is asked about what fills it."""

    contract: int = Field(CONTEXT_CONTRACT, description="of the generator of prompts")
    share: float = Field(description="of the context that a prompt fills, its template included")
    families: tuple[ContextFamily, ...]
    depths: tuple[float, ...] = Field(description="where in the text the asked thing lies, 0 to 1")
    tasks_per_depth: int

    def prompt_tokens(self, context: int) -> int:
        """Return the tokens of a prompt: an answer and a follow-up need room, too."""
        return min(int(self.share * context), context - CONTEXT_LEFT)


class Addressed(Record):
    """A record whose content names where its measurement lies."""

    def canonical(self) -> str:
        """Return the canonical JSON that the digest is made of."""
        return canonical_json(self.model_dump(mode="json"))

    def digest(self) -> str:
        """Return the digest that names the measurement's folder."""
        return digest_of(self.model_dump(mode="json"))


class MeasurementSpec(Addressed):
    """What every measurement that loads a model depends on."""

    contract: int = CONTRACT
    model_id: str
    quant_tag: str
    provider: str
    provider_version: str | None = Field(None, description="of an embedded runtime")
    artifact: ArtifactIdentity
    server_args: tuple[str, ...] = later((), "of a server that we start")
    gpu_devices: tuple[str, ...] | None = later(None, "null = all")
    n_ctx: int | None = None
    temperature: float
    max_output_tokens: int
    task_timeout_sec: float
    controls: ControlSettings
    tasks: TaskSelection
    sandbox: tuple[str, ...] = later(WITH_WALLS, "kinds that code of answers may be run in")
    cooldown: CooldownSettings | None = later(None, "null = nobody waits")
    runner: RunnerSettings | None = later(None, "command that answers the tasks; null = we ask")
    machine: str = Field(description="fingerprint of the machine that is to measure")


# Of a measurement's spec: what is asked, what judges it, and what only its speed probes depend on.
_NOT_SERVED: Any = {"tasks": True, "sandbox": True, "cooldown": True, "controls": {"warmup_steps"}}


class RunSpec(MeasurementSpec):
    """A cell: one (model, quant) with its graded runs and its probes."""

    kind: Literal["run"] = "run"
    runs_per_task: int
    probe_runs: int
    on_server_death: OnServerDeath = later("row", "what a server that dies costs")
    rerun_polluted: int = later(0, "how often a disturbed step is repeated")
    context: ContextFill | None = later(None, "how prompts fill the context; null = they don't")

    def served(self) -> dict[str, Any]:
        """Return what is served and how: what names the cell's folder in the store."""
        fields = MeasurementSpec(**{name: getattr(self, name) for name in _SERVED_FIELDS})
        return fields.model_dump(mode="json", exclude=_NOT_SERVED)

    def digest(self) -> str:
        """Return the digest of what is served and how, whatever is asked of it."""
        return digest_of(self.served())

    @property
    def folder(self) -> str:
        """The cell's folder below the root of the store, with forward slashes.

        Models whose slugs are equal may share it up to the digest, which tells them apart: so what
        else a sweep measures never moves a measurement.
        """
        return f"runs/{slug(self.model_id)}/{self.quant_tag}/{self.digest()}"

    @property
    def probe_key(self) -> str:
        """Digest of the settings of its speed probes, apart from what is served."""
        key: dict[str, Any] = {
            "warmup_steps": self.controls.warmup_steps,
            "prompt_tokens": PROBE_PROMPT_TOKENS,
            "output_tokens": PROBE_OUTPUT_TOKENS,
        }
        for name in ("cooldown", "context"):
            if (value := getattr(self, name)) is not None:
                key[name] = value.model_dump(mode="json")
        return digest_of(key)


_SERVED_FIELDS = tuple(MeasurementSpec.model_fields)


class CanarySpec(MeasurementSpec):
    """A canary: a few tasks of one cell, several times over."""

    kind: Literal["canary"] = "canary"
    runs: int
