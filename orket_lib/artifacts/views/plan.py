"""The plan: what a sweep would do, before anything is started."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from orket_lib.artifacts.base import Artifact, InputFile, Record, volatile
from orket_lib.artifacts.measurements.spec import ControlSettings
from orket_lib.artifacts.row_settings import RowPolicy
from orket_lib.artifacts.views.context_summary import ContextSettings
from orket_lib.vocabulary.statuses import Lane, Prefer, VramGuard, VramProfile, WantName


class MadeFrom(Record):
    """The base of a file that is quantized during the sweep."""

    base: InputFile
    imatrix: InputFile | None = None


class PlannedCell(Record):
    """One (model, quant), and the file or tag that is served."""

    model_id: str
    quant_tag: str
    artifact: str = Field(description="file or tag")
    sha256: str | None = Field(
        description="of the file; null for a tag or a file that is not made yet"
    )
    pin: str | None = Field(description="digest that the server must report for the tag")
    made_from: MadeFrom | None = Field(None, description="null for an existing file")
    spec_digest: str
    store: str | None = Field(None, description="folder of its measurements")
    measured: bool = Field(description="whether everything that it needs is in the store")


class PlannedServing(Record):
    """Settings of serving and of requests."""

    n_ctx: int | None = Field(description="null = the model's default")
    temperature: float
    max_output_tokens: int
    task_timeout_sec: float
    thinking: str = Field("default", description="on, off, or as the server does by itself")
    thinking_budget: int | None = Field(None, description="tokens of reasoning; null = no limit")


class PlannedTasks(Record):
    """The selected tasks."""

    path: str
    sha256: str = Field(description="of the selected tasks")
    tasks: int


class PlannedCanary(Record):
    """The configured canary."""

    enabled: bool
    runs: int
    task_limit: int
    task_id_min: int | None
    task_id_max: int | None
    latency_variance_threshold: float
    drop_first_run: bool
    max_missing_telemetry_rate: float
    scope: Literal["first", "each_model"]
    max_age_hours: float
    closing: bool = Field(False, description="measured again after the sweep")
    on_latency: Literal["stop", "quality_only"] = Field(
        "stop", description="what follows if only the latency varies too much"
    )


class PlannedSidecar(Record):
    """The configured hardware sidecar."""

    enabled: bool
    profile: str | None
    template: tuple[str, ...] | None = Field(
        description="arguments of the command; null = the built-in measurement"
    )
    timeout_sec: float


class PlannedThermal(Record):
    """The configured thermal series."""

    repeats: int = Field(description="0 = none")
    quant_tag: str | None = Field(description="null = the recommended quant")
    generations: int = Field(description="in each repeat")
    cooldown_target_c: float
    cooldown_timeout_sec: float
    polluted_threshold_c: float
    monotonic_window: int


class PlannedFidelity(Record):
    """The configured measurement of probabilities."""

    text: str
    positions: int = Field(description="places at which each quant is asked, at most")


class Plan(Artifact):
    """`plan.json`."""

    schema_version: Literal["orket.plan.v1"] = "orket.plan.v1"
    sweep: str
    commit_sha: str | None
    dirty: bool | None
    provenance_ref: str
    provider: str
    machine: str
    models: tuple[str, ...]
    quants: tuple[str, ...]
    cells: tuple[PlannedCell, ...]
    task_bank: PlannedTasks
    serving: PlannedServing | None = Field(
        None, description="null if models have different ones, and in plans of older versions"
    )
    experimental_controls: ControlSettings
    default_threads: int | None = Field(
        None,
        description="of a server that the sweep starts here, where `threads` is null; null if it "
        "starts none",
    )
    cpu_limits: tuple[str, ...] = Field(
        (), description="of this container, job or user: what a server here may use of the CPUs"
    )
    unused_cpu_features: tuple[str, ...] = Field(
        (), description="of this CPU, by the embedded llama.cpp; filled in by `orket plan`"
    )
    canary: PlannedCanary
    row_quality_policy: RowPolicy
    runner: tuple[str, ...] | None = Field(
        None, description="arguments of the command that answers the tasks; null = no runner"
    )
    hardware_sidecar: PlannedSidecar
    context_sweep: ContextSettings | None = Field(None, description="null = none")
    thermal: PlannedThermal | None = Field(None, description="null = none")
    kld: PlannedFidelity | None = Field(None, description="null = no probabilities are measured")
    execution_lane: Lane
    vram_profile: VramProfile
    vram_guard: VramGuard = VramGuard.WARN
    adherence_threshold: float
    latency_ceiling: float
    include_invalid: bool
    prefer: Prefer = Prefer.SMALLEST
    wants: dict[WantName, float] = Field({}, description="limits for the recommended quant")
    kpi_policy: str = Field(description="path of the KPI gate's limits")
    runs_per_quant: int
    rounds: int = 1
    batch_ends: tuple[int, ...] = Field(
        (), description="tasks asked after each batch at most; empty = all are asked at once"
    )
    budget: str | None = Field(None, description="most time of the sweep; null = no limit")
    expected_runs: int = Field(description="graded runs over all cells")
    expected_seconds: float | None = volatile(
        "estimate for what is still to be done; null without one, and in a sweep's folder", None
    )
    expected_from: str | None = volatile("what the estimate is from", None)
    summary_path: str
    report_path: str
    warnings: tuple[str, ...] = Field(description="allowed settings that you should know about")
