"""The row: the metrics of one (model, quant), with its verdict on validity."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from orket_lib.artifacts.base import (
    Count,
    Labelled,
    Measured,
    Reading,
    Record,
    Share,
    Time,
    volatile,
)
from orket_lib.artifacts.measurements.gpu import EnergyMethod, GpuSummary
from orket_lib.artifacts.measurements.offload import OffloadSearch
from orket_lib.artifacts.measurements.serving import KvCache
from orket_lib.artifacts.row_settings import RowPolicy
from orket_lib.artifacts.views.receipt import Dropped, TakenPart
from orket_lib.artifacts.views.run_report import Observation
from orket_lib.vocabulary.statuses import (
    AnswerFailure,
    Quality,
    RunStatus,
    SidecarStatus,
    TokenStatus,
)


class RowArtifact(Measured):
    """The model file behind a row."""

    sha256: str | None
    digest: str | None
    path: str | None = volatile("of the local file")
    tag: str | None
    build: str | None = Field(None, description="of the server")
    unused_cpu_features: tuple[str, ...] = Field(
        (), description="of the machine's CPU, that the embedded llama.cpp was not built for"
    )
    bytes: Count
    kv_cache: KvCache | None = Field(None, description="null where the server doesn't log it")


class FamilyScore(Record):
    """Adherence over the tasks of one family."""

    family: str
    adherence_score: float
    tasks: int


class RowSidecar(Measured):
    """Readings of the hardware sidecar, for diagnosis: no score depends on them."""

    ttft_ms: Reading
    prefill_tps: Reading
    decode_tps: Reading
    model_load_ms: Reading
    request_floor_ms: Reading
    thermal_start_c: Reading = Field(None, description="while the sidecar ran, not the task runs")
    thermal_end_c: Reading = None
    errors: tuple[str, ...]
    view_path: str
    measured_at: Time | None = volatile("UTC; null in older files", None)


class RowRound(Measured):
    """Results of one round of a cell, which show how speed and heat drift during a sweep."""

    round: int
    report_path: str
    measured_at: Time = volatile("UTC")
    generation_tokens_per_second: Reading
    total_latency: Reading = Field(description="mean of the runs that answered, s")
    temperature_start_c: Reading = Field(description="at the first load")
    temperature_max_c: Reading = Field(description="over all loads")
    temperature_of: Literal["cpu", "gpu"] = Field(
        "cpu", description="`gpu`: the hottest GPU that the server was seen on"
    )


class RowBatch(Record):
    """One batch of tasks of a cell."""

    batch: int
    report_path: str
    tasks: int = Field(description="tasks that were asked; 0 if the quant had been dropped")
    dropped: Dropped | None = Field(description="why it was not asked; null when it was")


class RowEnergy(Measured):
    """Energy per token and per correct answer, of the GPUs that the server uses."""

    joules_per_output_token: Reading = Field(description="probes: total energy / total tokens")
    joules_per_output_token_above_idle: Reading = Field(
        description="less the energy of the GPUs idle with the model loaded"
    )
    joules_per_correct_answer: Reading = Field(
        description="graded runs: energy of all runs / runs that passed"
    )
    joules_per_correct_answer_above_idle: Reading
    method: EnergyMethod | None = Field(description="null without energy")


class FailureCount(Record):
    """Number of graded runs that failed in one way."""

    failure: AnswerFailure
    runs: int
    first: str = Field(description="the first such run, with details")


class RowMetrics(Measured):
    """A row as the summary lists it."""

    model_id: str
    quant_tag: str
    variant: str | None = Field(None, description="of the config; null = the plain one")
    quant_rank: Reading = Field(description="bits per weight x 100 (T18)")
    status: RunStatus
    status_reason: str | None
    adherence_score: Reading = Field(description="mean over graded tasks of their runs' mean (T10)")
    adherence_by_family: tuple[FamilyScore, ...]
    total_latency: Reading = Field(description="mean of the runs that answered, s")
    peak_memory_rss: Reading = Field(description="of the server's process tree, MiB")
    peak_vram_mib: Reading
    init_latency: Reading = Field(description="load of the model, s")
    ttft_ms: Reading = Field(description="median over the probes")
    prompt_tokens_per_second: Reading = Field(description="probes: total tokens / total time")
    generation_tokens_per_second: Reading = Field(description="probes: total tokens / total time")
    rate_source: Literal["server", "client"] | None = Field(
        description="clock of the two rates; null when nothing was measured"
    )
    format_rate: Reading = Field(
        None, description="answers that kept the form that their task asks for / such answers"
    )
    output_tokens_per_answer: Reading = Field(None, description="mean over the runs that answered")
    output_tokens_per_right_answer: Reading = Field(
        None, description="output tokens of all runs that answered / runs that passed"
    )
    thinking_tokens_per_answer: Reading = Field(
        None, description="mean over the runs that answered, 0 for one without reasoning"
    )
    thinking_cut_share: Share = Field(
        None, description="runs that answered whose reasoning reached max_output_tokens"
    )
    orchestration_overhead_ratio: Reading = Field(description="mean over the runs that answered")
    missing_telemetry_rate: Reading
    polluted_run_rate: Reading
    cpu_saturation_rate: Reading
    system_load_rate: Reading
    determinism_rate: Reading = Field(description="tasks whose runs all gave one answer / tasks")
    token_metrics_status: TokenStatus | None = Field(description="null when nothing was measured")
    run_quality_status: Quality | None = Field(description="null when nothing was measured")
    run_quality_reasons: tuple[Observation, ...]
    notes: tuple[Observation, ...] = Field(description="shown, without polluting the row")
    tasks: int | None = Field(
        None, description="tasks that were asked, which the adherence is about; null in older files"
    )
    not_asked: dict[str, int] = Field(
        default_factory=dict, description="tasks that the model could not be asked, by reason"
    )
    test_runs: int = Field(description="graded runs that took place")
    discarded_steps: int = Field(0, description="disturbed runs and probes, which were repeated")
    failed_runs: int = Field(description="errors and timeouts among them; each scores 0")
    failures: tuple[FailureCount, ...] = Field(
        (), description="how answers failed, by kind; includes wrong answers"
    )
    artifact: RowArtifact
    offload: OffloadSearch | None = Field(
        None, description="the search that found its layers on the GPU; null without one"
    )
    platform: dict[str, str] = Field(
        default_factory=dict, description="kernel, driver and runtime versions of the measurement"
    )
    hardware_sidecar: SidecarStatus
    sidecar: RowSidecar | None = Field(None, description="null when none is configured")
    energy: RowEnergy | None = Field(None, description="null when nothing was measured")
    gpus: tuple[GpuSummary, ...] = Field((), description="each GPU that was sampled")
    gpus_absent: dict[str, str] = Field(
        default_factory=dict, description="why there is no GPU of a vendor, by vendor"
    )
    report_path: str
    parts: tuple[TakenPart, ...] = Field(
        (), description="the sealed parts that it is made from, oldest first"
    )
    retry: bool = Field(
        False, description="the failure may be temporary: the next run tries the cell again"
    )
    rounds: tuple[RowRound, ...] = Field((), description="if the sweep has several; else empty")
    batches: tuple[RowBatch, ...] = Field(
        (), description="of tasks, if they are not asked all at once; else empty"
    )
    valid: bool
    invalid_because: tuple[str, ...]
    quality_spoiled_by: tuple[str, ...] | None = Field(
        None,
        description="why its answers are not judged; empty if only times are affected, null in "
        "older files",
    )

    speed_spoiled_by: tuple[str, ...] | None = Field(
        None,
        description="why the rates and TTFT of its probes don't count; null in older files",
    )
    latency_spoiled_by: tuple[str, ...] | None = Field(
        None, description="why the latency of its answers doesn't count; null in older files"
    )

    intervals: dict[str, tuple[float, float]] = Field(
        default_factory=dict,
        description="95 % interval of each time and rate, by its name here; none for one that was "
        "measured once",
    )

    @property
    def speed_valid(self) -> bool:
        """Tell whether the rates and TTFT of its probes count."""
        return self.valid if self.speed_spoiled_by is None else not self.speed_spoiled_by

    @property
    def quality_valid(self) -> bool:
        """Tell whether its answers may be judged, even if its times may not."""
        return self.valid if self.quality_spoiled_by is None else not self.quality_spoiled_by

    def may_be_judged(self, include_invalid: bool) -> bool:
        """Tell whether its answers count in verdicts, baselines and frontiers.

        Args:
            include_invalid: Also count answers that a disturbance may have changed.
        """
        return self.status is RunStatus.MEASURED and (self.quality_valid or include_invalid)

    @property
    def report_paths(self) -> tuple[str, ...]:
        """The run reports of all rounds or batches."""
        rounds = tuple(item.report_path for item in self.rounds)
        return rounds or tuple(item.report_path for item in self.batches) or (self.report_path,)

    @property
    def dropped(self) -> Dropped | None:
        """Why it was not asked all batches; None if it was."""
        return next((item.dropped for item in self.batches if item.dropped), None)


class TaskScore(Measured):
    """The result of one task in one cell."""

    test_id: str
    passed: bool = Field(description="every run passed; false for a task that is not graded")
    adherence_score: Share = Field(
        description="null for a task without an expected answer, or one that could not be asked"
    )
    family: str = Field("", description="kind of work; empty in older files")
    level: int = Field(0, description="intended difficulty; 0 in older files")
    bank: str = Field("", description="id of its task bank; empty in older files")
    answer: str | None = Field(
        None,
        description="the first run's, normalised; null without one or with an empty one, and in "
        "older files",
    )
    answer_sha256: str | None = Field(None, description="of that answer")
    repeated: float | None = Field(
        None,
        ge=0,
        le=1,
        description="share of that answer before the first difference from the second run's; 1 if "
        "they are the same, null without two runs or without any answer",
    )
    failure: AnswerFailure | None = Field(
        None, description="how its first failed run failed; null without one, and in older files"
    )


class Row(Labelled):
    """One cell of a sweep: its metrics, and its score on every task."""

    schema_version: Literal["orket.row.v1"] = "orket.row.v1"
    policy: RowPolicy
    metrics: RowMetrics
    task_scores: tuple[TaskScore, ...]
