"""The spec of a measurement: everything that it depends on, and nothing else.

Its digest names the folder of the measurement, so a changed setting is a missing file and a
reverted one costs nothing. Paths and labels are left out on purpose: moving a model or relabelling
a sweep measures nothing again.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from orket_lib.artifacts.base import Record
from orket_lib.artifacts.canonical import canonical_json, digest_of
from orket_lib.artifacts.runner import RunnerSettings

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


class RunSpec(MeasurementSpec):
    """A cell: one (model, quant) with its graded runs and its probes."""

    kind: Literal["run"] = "run"
    runs_per_task: int
    probe_runs: int
    on_server_death: OnServerDeath = later("row", "what a server that dies costs")
    rerun_polluted: int = later(0, "how often a disturbed step is repeated")
    context: ContextFill | None = later(None, "how prompts fill the context; null = they don't")


class CanarySpec(MeasurementSpec):
    """A canary: a few tasks of one cell, several times over."""

    kind: Literal["canary"] = "canary"
    runs: int
