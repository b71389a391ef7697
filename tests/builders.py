"""Valid artifacts with one call each; `changes` name the fields that differ."""

from __future__ import annotations

from typing import Any

from orket_lib.analysis.rows.aggregates import task_scores
from orket_lib.artifacts.base import Provenance
from orket_lib.artifacts.digest import sha256_of
from orket_lib.artifacts.measurements.canary import CanaryPolicy, CanaryVerdict
from orket_lib.artifacts.measurements.host import HostSummary, HostWindow
from orket_lib.artifacts.measurements.offload import OffloadLoad, OffloadSearch
from orket_lib.artifacts.measurements.parts import Answer
from orket_lib.artifacts.measurements.readiness import Warmup
from orket_lib.artifacts.measurements.spec import (
    ArtifactIdentity,
    ControlSettings,
    OffloadTargets,
    RunSpec,
    TaskSelection,
)
from orket_lib.artifacts.row_settings import RowPolicy
from orket_lib.artifacts.views.row import Row, RowArtifact, RowMetrics, TaskScore
from orket_lib.artifacts.views.run_report import (
    LoadTimes,
    Observation,
    Probe,
    RunReport,
    RunTelemetry,
    ServedModel,
    Session,
    TestRun,
)
from orket_lib.measure.speed.token_metrics import Tokens
from orket_lib.providers.base import Generation
from orket_lib.providers.llama_cpp.client import llama_tokens
from orket_lib.tasks.answers import fingerprint
from orket_lib.tasks.bank import Question, Task
from orket_lib.vocabulary.nulls import Null
from orket_lib.vocabulary.statuses import (
    Lane,
    Outcome,
    Quality,
    RunStatus,
    SidecarStatus,
    TokenStatus,
    VramProfile,
)

MACHINE = "linux|testing_cpu|4|16|none"
NOW = "2026-11-23T15:04:05.123Z"
PROVENANCE = Provenance(ref="test", commit_sha=None, dirty=None)
STRICT = RowPolicy(
    max_missing_telemetry_rate=0.0,
    max_orchestration_overhead_ratio=0.25,
    max_cpu_saturation_rate=0.0,
    max_system_load_rate=0.0,
)


def spec(**changes: Any) -> RunSpec:
    """Return the spec of a cell."""
    values: dict[str, Any] = {
        "model_id": "nano",
        "quant_tag": "Q4_K_M",
        "provider": "embedded",
        "provider_version": "1.0",
        "artifact": ArtifactIdentity(sha256="a" * 64),
        "n_ctx": 2048,
        "temperature": 0.0,
        "max_output_tokens": 96,
        "task_timeout_sec": 30.0,
        "controls": ControlSettings(seed=7, threads=1),
        "tasks": TaskSelection(bank_id="bank", ids=(1, 2), sha256="b" * 64),
        "machine": MACHINE,
        "runs_per_task": 2,
        "probe_runs": 2,
    }
    return RunSpec(**(values | changes))


def offload() -> OffloadSearch:
    """Return a search that found 22 of 33 layers."""
    loads = ((23, None, None), (21, 28.9, 7000.0), (22, 31.0, 7300.0))
    none = Null("NOT_SERVED")
    return OffloadSearch.of(
        spec_digest="d" * 16,
        found_at=NOW,
        targets=OffloadTargets(decode_tps=30.0),
        most=33,
        free_vram_mib=8000.0,
        bounds=(0, 23),
        bounded_by=("24 take about 8100 MiB, and 8000 are free in a GPU",),
        loads=tuple(
            OffloadLoad.of(
                layers=layers,
                applied=str(layers) if tps else None,
                held=tps is not None,
                outcome="loaded" if tps else "gpu_full",
                decode_tps=tps or none,
                slowest_tps=tps or none,
                vram_mib=mib or none,
                rss_mib=512.0 if tps else none,
                load_seconds=2.0 if tps else none,
            )
            for layers, tps, mib in loads
        ),
        layers=22,
        why="the fewest that reach 30 tokens/s",
    )


def no_canary() -> CanaryVerdict:
    """Return the verdict of a sweep without a canary."""
    return CanaryVerdict(
        generated_at=NOW,
        provenance=PROVENANCE,
        passed=True,
        failed_reasons=(),
        explanations=(),
        policy=CanaryPolicy(
            enabled=False,
            latency_variance_threshold=0.03,
            drop_first_run=True,
            max_missing_telemetry_rate=0,
            max_age_hours=24,
        ),
        figures=None,
        measured_at=None,
        boot_id=None,
        model_ids=(),
        quant_tags=(),
    )


def task(task_id: int = 1, **changes: Any) -> Task:
    """Return a question whose answer is the number of its id."""
    values: dict[str, Any] = {
        "id": task_id,
        "family": "add",
        "tier": 1,
        "prompt": f"What number is {task_id} + 0?",
        "grader": "number",
        "expected": task_id,
    }
    return Question(**(values | changes))


def generation(text: str = "1", **changes: Any) -> Generation:
    """Return an answer of 32 tokens: 64 prompt tokens in 0.1 s, the rest in 0.2 s."""
    values: dict[str, Any] = {
        "text": text,
        "reasoning": "",
        "finish_reason": "stop",
        "connect_s": 0.001,
        "chunk_s": (0.11, 0.21, 0.32),
        "usage": {"prompt_tokens": 64, "completion_tokens": 32, "total_tokens": 96},
        "timings": {"cache_n": 0, "prompt_n": 64, "prompt_ms": 100.0, "predicted_ms": 200.0},
    }
    values |= changes
    return Generation(tokens=llama_tokens(values["usage"], values["timings"]), **values)


def served(**changes: Any) -> ServedModel:
    """Return a model that is what `spec()` asks for."""
    values: dict[str, Any] = {
        "path": "nano.gguf",
        "sha256": "a" * 64,
        "quant_tag": "Q4_K_M",
        "quant_source": "/props model_ftype",
        "file_quant_tag": "Q4_K_M",
        "bytes": 1000,
        "bits_per_weight": 4.9,
        "n_ctx": 2048,
        "build": "test",
        "server_memory_mib": Null("NOT_REPORTED"),
        "server_vram_mib": Null("NO_GPU_USED"),
    }
    return ServedModel.of(**(values | changes))


def host(**changes: Any) -> HostWindow:
    """Return a window in which the host was not looked at, but for `changes`."""
    nothing = dict.fromkeys(HostWindow.readings(), Null("NOT_SAMPLED"))
    return HostWindow.of(**(nothing | changes))


def session(**changes: Any) -> Session:
    """Return one load of the model."""
    values: dict[str, Any] = {
        "index": 0,
        "machine": MACHINE,
        "started_at": NOW,
        "server_pid": None,
        "served": served(),
        "controls": (),
        "load": LoadTimes.of(load_seconds=0.5, model_seconds=0.4),
        "warmup": Warmup(decode_seconds=(0.2, 0.2, 0.2), required=3, cap=20, steady=True),
        "decode_clock": "first_token",
        "decode_clock_evidence": "built by hand",
        "template_tokens": 2,
    }
    return Session(**(values | changes))


def probe(index: int = 0, **changes: Any) -> Probe:
    """Return a probe: 512 prompt tokens in 0.5 s, 127 intervals in 1 s."""
    values: dict[str, Any] = {
        "index": index,
        "session": 0,
        "window_s": (0.0, 1.6),
        "host": host(),
        "prompt_tokens": 512,
        "cached_tokens": 0,
        "output_tokens": 128,
        "connect_ms": 0.2,
        "ttft_ms": 510.0,
        "prefill_seconds": 0.5,
        "decode_seconds": 1.0,
        "decode_intervals": 127,
        "client_decode_seconds": 1.1,
        "internal_model_seconds": 1.5,
        "prompt_tokens_per_second": 1024.0,
        "generation_tokens_per_second": 127.0,
        "rate_source": "server",
        "chunk_ms": (),
    }
    return Probe.of(**(values | changes))


def run(
    task_id: int = 1,
    run_index: int = 0,
    outcome: Outcome = Outcome.PASS,
    answer: str = "1",
    reasons: tuple[Observation, ...] = (),
    token_status: TokenStatus | None = None,
    family: str = "add",
    **telemetry: Any,
) -> TestRun:
    """Return one graded run; `telemetry` names the readings that differ."""
    did_answer = outcome not in (Outcome.ERROR, Outcome.TIMEOUT)
    silent = Null(f"RUN_{outcome.upper()}")
    metrics = Tokens.of(
        generation() if did_answer else generation(usage=None, timings=None, chunk_s=()),
        "first_token",
    ).metrics()
    values: dict[str, Any] = {
        "init_latency": 0.5,
        "total_latency": 0.32 if did_answer else silent,
        "peak_memory_rss": 100.0,
        "peak_vram_mib": Null("NO_GPU_USED"),
        "adherence_score": float(outcome is Outcome.PASS),
        "internal_model_seconds": 0.3 if did_answer else silent,
        "orchestration_overhead_ratio": 0.0625 if did_answer else silent,
        "run_quality_status": Quality.POLLUTED if reasons else Quality.CLEAN,
        "run_quality_reasons": reasons,
        "system_load_start": 0.1,
        "system_load_end": 0.1,
        "host": host(),
        "experimental_controls": {},
        "token_metrics_status": token_status or metrics.status,
        "token_metrics": metrics,
    }
    return TestRun(
        test_id=f"{family}-{task_id:04d}",
        task_id=task_id,
        family=family,
        tier=1,
        run_index=run_index,
        session=0,
        started_at=NOW,
        window_s=(0.0, 0.4),
        outcome=outcome,
        answer=answer if did_answer else None,
        answer_sha256=fingerprint(answer) if did_answer else None,
        finish_reason="stop" if did_answer else None,
        checks=(),
        telemetry=RunTelemetry.of(**(values | telemetry)),
    )


def answered(window_s: tuple[float, float] = (0.0, 0.4)) -> Answer:
    """Return one answer that is not graded yet, which took this window of its session."""
    done = run()
    return Answer(
        key="a" * 64,
        run_index=done.run_index,
        test_id=done.test_id,
        task_id=done.task_id,
        session=done.session,
        started_at=done.started_at,
        window_s=window_s,
        failed=None,
        answer=done.answer,
        answer_sha256=done.answer_sha256,
        finish_reason=done.finish_reason,
        telemetry=done.telemetry,
    )


def report(**changes: Any) -> RunReport:
    """Return a clean run report: two tasks, two runs of each, all passed."""
    chosen = changes.pop("spec", spec())
    values: dict[str, Any] = {
        "generated_at": NOW,
        "provenance": PROVENANCE,
        "status": RunStatus.MEASURED,
        "status_reason": None,
        "measured_at": NOW,
        "finished_at": NOW,
        "boot_id": "boot",
        "hardware_fingerprint": MACHINE,
        "cpus": 4,
        "platform": {},
        "spec": chosen,
        "spec_digest": chosen.digest(),
        "sessions": (session(),),
        "hosts": (
            HostSummary.of(samples=0, **dict.fromkeys(HostSummary.readings(), Null("NOT_SAMPLED"))),
        ),
        "probes": (probe(0), probe(1)),
        "test_runs": tuple(run(task_id, index) for index in range(2) for task_id in (1, 2)),
        "observations": (),
    }
    return RunReport(**(values | changes))


def metrics(tag: str = "Q8_0", bits: float | Null = 8.5, **changes: Any) -> RowMetrics:
    """Return the metrics of a valid row."""
    values: dict[str, Any] = {
        "model_id": "nano",
        "quant_tag": tag,
        "quant_rank": bits if isinstance(bits, Null) else bits * 100,
        "status": RunStatus.MEASURED,
        "status_reason": None,
        "adherence_score": 1.0,
        "adherence_by_family": (),
        "total_latency": 1.0,
        "peak_memory_rss": 1024.0,
        "peak_vram_mib": Null("NO_GPU_USED"),
        "init_latency": 0.5,
        "ttft_ms": 100.0,
        "prompt_tokens_per_second": 1000.0,
        "generation_tokens_per_second": 100.0,
        "rate_source": "server",
        "format_rate": 1.0,
        "output_tokens_per_answer": 40.0,
        "output_tokens_per_right_answer": 50.0,
        "thinking_tokens_per_answer": Null("NO_THINKING_SENT"),
        "thinking_cut_share": Null("NO_THINKING_SENT"),
        "orchestration_overhead_ratio": 0.1,
        "missing_telemetry_rate": 0.0,
        "polluted_run_rate": 0.0,
        "cpu_saturation_rate": Null("NOT_SAMPLED"),
        "system_load_rate": Null("NOT_SAMPLED"),
        "determinism_rate": 1.0,
        "token_metrics_status": TokenStatus.OK,
        "run_quality_status": Quality.CLEAN,
        "run_quality_reasons": (),
        "notes": (),
        "test_runs": 4,
        "failed_runs": 0,
        "artifact": RowArtifact.of(
            sha256=sha256_of(tag), digest=None, path=None, tag=None, bytes=1000
        ),
        "hardware_sidecar": SidecarStatus.NOT_APPLICABLE,
        "report_path": "run.json",
        "valid": True,
        "invalid_because": (),
    }
    return RowMetrics.of(**(values | changes))


def polluted(tag: str, bits: float, **changes: Any) -> RowMetrics:
    """Return the metrics of a row that was measured and is not valid."""
    why: dict[str, Any] = {
        "run_quality_status": Quality.POLLUTED,
        "valid": False,
        "invalid_because": ("run quality is POLLUTED",),
    }
    return metrics(tag, bits, **(why | changes))


def unmeasured(tag: str, bits: float, status: RunStatus = RunStatus.LOAD_FAILED) -> RowMetrics:
    """Return the metrics of a row that has none."""
    figures = set(RowMetrics.readings()) - {"quant_rank"}
    return metrics(
        tag,
        bits,
        **dict.fromkeys(figures, Null(f"STATUS_{status.upper()}")),
        status=status,
        status_reason="it did not load",
        rate_source=None,
        token_metrics_status=None,
        run_quality_status=None,
        test_runs=0,
        valid=False,
        invalid_because=(f"status is {status.value}",),
    )


def row(
    figures: RowMetrics,
    scores: tuple[TaskScore, ...] = task_scores([run(1), run(2)]),
    execution_lane: Lane = Lane.LAB,
) -> Row:
    """Return a row artifact around metrics."""
    return Row(
        generated_at=NOW,
        provenance=PROVENANCE,
        execution_lane=execution_lane,
        vram_profile=VramProfile.SAFE,
        hardware_fingerprint=MACHINE,
        policy=STRICT,
        metrics=figures,
        task_scores=scores,
    )
