"""The run report (`run.json`): every probe and every graded run of one (model, quant).

It is assembled from the sealed parts that a sweep's receipt names (see `parts`), and grades their
answers. It holds observations without policy and labels: thresholds, lanes and profiles apply when
the row is made, so changing one of them measures nothing again.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from orket_lib.artifacts.base import (
    Artifact,
    Count,
    Measured,
    Reading,
    Record,
    Share,
    Time,
    volatile,
)
from orket_lib.artifacts.measurements.gpu import GpuSummary, GpuWindow
from orket_lib.artifacts.measurements.host import HostSummary, HostWindow
from orket_lib.artifacts.measurements.offload import OffloadSearch
from orket_lib.artifacts.measurements.readiness import CooldownRecord, Probing, Warmup
from orket_lib.artifacts.measurements.runner import RunnerRun
from orket_lib.artifacts.measurements.serving import KvCache
from orket_lib.artifacts.measurements.spec import RunSpec
from orket_lib.artifacts.measurements.tokens import TokenMetrics
from orket_lib.artifacts.views.receipt import Dropped, TakenPart
from orket_lib.vocabulary.errors import Fault
from orket_lib.vocabulary.rates import DecodeClock
from orket_lib.vocabulary.reasons import Reason, Severity, severity
from orket_lib.vocabulary.statuses import Outcome, Quality, RunStatus, TokenStatus


class Observation(Record):
    """A reason that was observed, with its evidence."""

    reason: Reason
    severity: Severity
    evidence: str = Field(description="what was observed, when, and by which process if known")

    @classmethod
    def of(cls, reason: Reason, evidence: str) -> Observation:
        """Return an observation with the severity that the table gives its reason."""
        return cls(reason=reason, severity=severity(reason), evidence=evidence)


class ServedModel(Measured):
    """The model as it was served, read back from the server and the file (T1, T2)."""

    path: str | None = volatile("of the model: a local file, or the server's name for it", None)
    sha256: str | None = Field(None, description="of the local file, when it was loaded")
    digest: str | None = Field(None, description="reported by the server for a tag")
    quant_tag: str | None = Field(None, description="reported by the server")
    quant_source: str | None = Field(None, description="where `quant_tag` was read from")
    file_quant_tag: str | None = Field(None, description="in the file's header")
    bytes: Count
    bits_per_weight: Reading = Field(description="tensor bytes x 8 / parameters, from the file")
    n_ctx: Count = Field(description="context of one slot")
    kv_cache: KvCache | None = Field(None, description="null where the server doesn't log it")
    build: str | None = Field(None, description="of the server")
    unused_cpu_features: tuple[str, ...] = Field(
        (), description="of this machine's CPU, that the embedded llama.cpp was not built for"
    )
    capabilities: tuple[str, ...] = Field(
        (), description="reported by the server; with `thinking` the model reasons first"
    )
    request_extras: tuple[str, ...] = Field(
        (), description="optional fields that requests to this server had"
    )
    server_memory_mib: Reading = Field(
        description="the server's estimate of the model's memory, not a measurement (T12)"
    )
    server_vram_mib: Reading = Field(description="of that, on the GPU; also an estimate")


class ControlReadback(Record):
    """A control that the config sets, and its value read back from the running server."""

    name: str
    requested: str
    applied: str | None = Field(description="null when it can't be read back")
    held: bool
    source: str


class LoadTimes(Measured):
    """Load times of the model."""

    load_seconds: Reading = Field(
        description="from the start of the server process until it is ready; for a server that "
        "loads on request, from that request until the model is loaded"
    )
    model_seconds: Reading = Field(description="of that, inside the runtime's own load call")


class Session(Record):
    """One load of the model; an interrupted measurement has several."""

    index: int
    machine: str = Field(description="fingerprint of the machine that served it")
    started_at: Time = volatile("UTC")
    server_pid: int | None = volatile("of a server that the harness started; else null")
    served: ServedModel
    controls: tuple[ControlReadback, ...]
    load: LoadTimes
    warmup: Warmup
    decode_clock: DecodeClock | None = Field(
        description="when the server starts its generation clock; null when unknown"
    )
    decode_clock_evidence: str
    template_tokens: int | None = Field(
        description="tokens that the chat template adds to a prompt; null when unknown"
    )
    found_by: str | None = Field(
        None,
        description="earlier session of the same file and build that found clock and template",
    )
    probing: Probing | None = Field(None, description="null in measurements of older versions")
    cooldown: CooldownRecord | None = Field(None, description="null without a configured cooldown")
    offload: OffloadSearch | None = Field(
        None, description="the search that found its layers on the GPU; null without one"
    )


class FollowUp(Measured):
    """A second request right after a probe: its prompt and a little more, with the cache."""

    ttft_ms: Reading = Field(description="as in a chat that has filled its context so far")
    prompt_tokens: Count
    cached_tokens: Count = Field(description="prompt tokens taken from the server's cache")
    failure: str | None = Field(None, description="why it failed; null when it did not")


class Probe(Measured):
    """One speed measurement: a fresh prompt, a fixed output length (never graded)."""

    index: int
    session: int = Field(description="which load of the model")
    window_s: tuple[float, float] = volatile("seconds since the session began")
    prompt_tokens: Count
    cached_tokens: Count = Field(description="prompt tokens taken from the server's cache")
    output_tokens: Count
    connect_ms: Reading = Field(description="TCP connect, before the request")
    ttft_ms: Reading
    prefill_seconds: Reading = Field(description="server's prompt time")
    decode_seconds: Reading = Field(description="server's generation time")
    decode_intervals: Count = Field(description="token intervals that decode_seconds spans (T4)")
    client_decode_seconds: Reading = Field(description="last - first content chunk (client)")
    internal_model_seconds: Reading
    prompt_tokens_per_second: Reading
    generation_tokens_per_second: Reading
    rate_source: Literal["server", "client"]
    chunk_ms: tuple[float, ...] = volatile("arrival of each content chunk after the request start")
    host: HostWindow
    gpu: GpuWindow | None = Field(None, description="null without a sampled GPU")
    failure: str | None = Field(None, description="why it failed; null when it did not")
    fault: Fault | None = Field(None, description="how the request failed")
    follow_up: FollowUp | None = Field(None, description="null without a follow-up")
    observations: tuple[Observation, ...] = ()
    raw_usage: dict[str, Any] | None = None
    raw_timings: dict[str, Any] | None = None


class AnswerTelemetry(Measured):
    """What was measured while one task was answered."""

    init_latency: Reading = Field(description="load of the model, s")
    total_latency: Reading = Field(description="last content chunk - start of the request, s")
    peak_memory_rss: Reading = Field(description="peak of the serving process tree so far, MiB")
    peak_vram_mib: Reading = Field(
        description="peak of the server's processes so far, by the driver (T12)"
    )
    internal_model_seconds: Reading
    orchestration_overhead_ratio: Reading
    run_quality_status: Quality
    run_quality_reasons: tuple[Observation, ...]
    system_load_start: Reading = Field(description="1-minute load average")
    system_load_end: Reading = Field(description="1-minute load average")
    host: HostWindow
    gpu: GpuWindow | None = Field(None, description="null without a sampled GPU")
    experimental_controls: dict[str, str | None]
    token_metrics_status: TokenStatus
    token_metrics: TokenMetrics


class RunTelemetry(AnswerTelemetry):
    """What was measured while one task was answered, and the score of the answer."""

    adherence_score: Share = Field(description="null for a task without an expected answer")
    score_source: Literal["graders", "runner"] = Field(
        "graders", description="`runner`: no answer was graded; the runner's score counts"
    )


class Reasoning(Record):
    """What the server sent as reasoning, apart from the answer."""

    characters: int
    end: str = Field(description="its last 2,000 characters: where it stopped, or the answer")


class Check(Record):
    """One check of a grader."""

    name: str
    passed: bool
    detail: str = ""


class TestRun(Record):
    """One run of a task."""

    __test__ = False  # not a test class, whatever pytest thinks of its name

    test_id: str
    task_id: int
    family: str
    tier: int
    run_index: int
    session: int = Field(description="which load of the model")
    started_at: Time = volatile("UTC")
    window_s: tuple[float, float] = volatile("seconds since the session began")
    outcome: Outcome
    outcome_detail: str = ""
    fault: Fault | None = Field(None, description="how the request failed; else null")
    answer: str | None
    answer_sha256: str | None = Field(description="of the normalised answer (T16)")
    finish_reason: str | None
    reasoning: Reasoning | None = Field(
        None, description="null without separate reasoning, and in older files"
    )
    checks: tuple[Check, ...]
    unparseable: bool = Field(False, description="whether no grader could read the answer")
    form_kept: bool | None = Field(
        None,
        description="whether the answer had the form that its task asks for; null when it asks for "
        "none, or when nothing was answered",
    )
    leaked_token: str | None = Field(
        None,
        description="token of the chat template that the server left in the answer; it was cut off",
    )
    runner: RunnerRun | None = Field(None, description="null when no runner was used")
    telemetry: RunTelemetry


class NotAsked(Record):
    """A task that the served model could not be asked; it is neither right nor wrong."""

    test_id: str
    task_id: int
    family: str
    tier: int
    reason: str = Field(description="as of a null")


class RunReport(Artifact):
    """The measurement of one cell."""

    schema_version: Literal["orket.run.v1"] = "orket.run.v1"
    sandbox: str | None = Field(
        None, description="where code in answers ran; null when no task needed it"
    )
    status: RunStatus
    status_reason: str | None = Field(description="why it is not measured; null when it is")
    batch: int | None = Field(None, description="of tasks; null when all are asked at once")
    dropped: Dropped | None = Field(
        None, description="why this batch was not asked; null when it was"
    )
    measured_at: Time = volatile("UTC, when the measurement began")
    finished_at: Time = volatile("UTC")
    boot_id: str | None = volatile("of the machine's boot")
    hardware_fingerprint: str = Field(description="of the machine that measured")
    cpus: int | None = Field(
        description="logical CPUs, which shares refer to; null when nothing was measured"
    )
    platform: dict[str, str] = Field(description="kernel, driver and runtime versions")
    spec: RunSpec
    spec_digest: str
    sessions: tuple[Session, ...]
    hosts: tuple[HostSummary, ...] = Field(description="one for each session")
    gpus: tuple[GpuSummary, ...] = Field((), description="each sampled GPU, for each session")
    gpus_absent: dict[str, str] = Field({}, description="why a vendor has no GPU, by vendor")
    probes: tuple[Probe, ...]
    test_runs: tuple[TestRun, ...]
    not_asked: tuple[NotAsked, ...] = ()
    discarded_probes: tuple[Probe, ...] = Field((), description="disturbed, and repeated")
    discarded_runs: tuple[TestRun, ...] = Field((), description="disturbed, and repeated")
    observations: tuple[Observation, ...] = Field(description="of the cell as a whole")
    parts: tuple[TakenPart, ...] = Field((), description="the sealed parts that it is made from")
    retry: bool = Field(
        False, description="the failure may be temporary: the next run tries the cell again"
    )
