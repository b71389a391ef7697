"""From a run report to a row: the metrics of one model and quant, as defined in ARTIFACTS."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from orket_lib.analysis.rows import aggregates
from orket_lib.analysis.rows.answer_failures import Limits, count_failures
from orket_lib.analysis.rows.energy import row_energy
from orket_lib.analysis.rows.quality import (
    invalid_because,
    pollutes,
    quality_spoiled_by,
    reason_share,
    row_quality,
    row_reasons,
    run_is_polluted,
    times_spoiled_by,
)
from orket_lib.artifacts.row_settings import RowPolicy
from orket_lib.artifacts.views.row import RowArtifact, RowBatch, RowMetrics, RowRound, RowSidecar
from orket_lib.artifacts.views.run_report import Observation, Probe, RunReport, TestRun
from orket_lib.vocabulary.nulls import Null
from orket_lib.vocabulary.quants import nominal_bits, split_label
from orket_lib.vocabulary.reasons import Reason, Severity
from orket_lib.vocabulary.statuses import Lane, RunStatus, SidecarStatus, TokenStatus
from orket_lib.vocabulary.thresholds import exceeds


def build_row(
    report: RunReport,
    policy: RowPolicy,
    lane: Lane,
    quant_bits: Mapping[str, float],
    sidecar: SidecarStatus,
    report_path: str,
    sidecar_copy: RowSidecar | None = None,
    rounds: tuple[RowRound, ...] = (),
    batches: tuple[RowBatch, ...] = (),
) -> RowMetrics:
    """Return the row of a run report.

    Args:
        report: The run report.
        policy: Tolerated rates of disturbances.
        lane: Decides whether timing and host reasons pollute.
        quant_bits: Bits per weight of tags that the vocabulary doesn't know.
        sidecar: Status of the hardware probe; it is repeated and decides nothing.
        report_path: Path of the report.
        sidecar_copy: The hardware probe's numbers, if one is configured.
        rounds: Figures of each round, if the report combines several.
        batches: What was asked in each batch, if the tasks are asked in batches.
    """
    common: dict[str, Any] = {
        "model_id": report.spec.model_id,
        "quant_tag": report.spec.quant_tag,
        "variant": report.spec.variant,
        "quant_rank": _rank(report, quant_bits),
        "status": report.status,
        "status_reason": report.status_reason,
        "artifact": _artifact(report),
        "offload": report.sessions[-1].offload if report.sessions else None,
        "platform": report.platform,
        "hardware_sidecar": sidecar,
        "sidecar": sidecar_copy,
        "report_path": report_path,
        "parts": report.parts,
        "retry": report.retry,
        "rounds": rounds,
        "batches": batches,
        "tasks": len({run.test_id for run in report.test_runs}),
        "gpus": report.gpus,
        "gpus_absent": report.gpus_absent,
        "not_asked": dict(Counter(task.reason for task in report.not_asked)),
        "test_runs": len(report.test_runs),
        "discarded_steps": len(report.discarded_runs) + len(report.discarded_probes),
        "failed_runs": sum(not aggregates.answered(run) for run in report.test_runs),
        "failures": count_failures(report.test_runs, Limits.of(report)),
    }
    if report.status is not RunStatus.MEASURED:
        return _unmeasured(report, common)
    runs, probes = report.test_runs, report.probes
    overhead = aggregates.mean_over_answered(runs, "orchestration_overhead_ratio")
    missing_rate = aggregates.missing_telemetry_rate(runs)
    tokens = _token_status(runs, missing_rate, policy)
    reasons = row_reasons(report, policy, overhead)
    quality = row_quality(reasons, lane)
    because = invalid_because(report.status, quality, tokens)
    missing = aggregates.not_asked_scores(report.not_asked, report.spec.tasks.bank_id)
    scores = aggregates.task_scores(runs) + missing
    by_probes, by_answers = times_spoiled_by(report, policy, lane, overhead)
    speeds = _speeds(probes)
    latency = _unless_unsteady(
        (run.telemetry.run_quality_reasons for run in runs),
        aggregates.mean_over_answered(runs, "total_latency"),
    )
    times = {name: speeds[name] for name in ("generation_tokens_per_second", "ttft_ms")}
    return RowMetrics.of(
        **common,
        adherence_score=aggregates.mean_score(scores),
        adherence_by_family=aggregates.by_family(runs, scores),
        total_latency=latency,
        peak_memory_rss=aggregates.peak(runs, "peak_memory_rss"),
        peak_vram_mib=aggregates.peak(runs, "peak_vram_mib"),
        energy=row_energy(report),
        init_latency=report.sessions[0].load.reading("load_seconds"),
        **speeds,
        intervals=aggregates.intervals({**times, "total_latency": latency}, runs, probes),
        format_rate=aggregates.format_rate(runs),
        output_tokens_per_answer=aggregates.output_tokens_per_answer(runs),
        **aggregates.thinking(runs, Limits.of(report)),
        orchestration_overhead_ratio=overhead,
        missing_telemetry_rate=missing_rate,
        polluted_run_rate=(
            statistics.fmean(run_is_polluted(run, lane) for run in runs) if runs else Null("NO_RUN")
        ),
        cpu_saturation_rate=_host_rate(report, Reason.HIGH_CPU_SATURATION, "foreign_cpu_ratio"),
        system_load_rate=_host_rate(report, Reason.HIGH_SYSTEM_LOAD, "foreign_load"),
        determinism_rate=aggregates.determinism_rate(runs),
        token_metrics_status=tokens,
        run_quality_status=quality,
        run_quality_reasons=[item for item in reasons if item.severity is not Severity.NOTE],
        notes=[item for item in reasons if item.severity is Severity.NOTE],
        valid=not because,
        invalid_because=because,
        quality_spoiled_by=quality_spoiled_by(
            report.status, [item for item in reasons if pollutes(item, lane)]
        ),
        speed_spoiled_by=by_probes,
        latency_spoiled_by=by_answers,
    )


def _speeds(probes: Sequence[Probe]) -> dict[str, Any]:
    """Return TTFT and rates; null if the machine was too unsteady for any of the probes."""
    speeds: dict[str, Any] = {
        "ttft_ms": aggregates.median_ttft_ms(probes),
        **aggregates.probe_rates(probes),
    }
    seen = [probe.observations for probe in probes]
    return speeds | {
        name: _unless_unsteady(seen, value)
        for name, value in speeds.items()
        if name != "rate_source"
    }


def _unless_unsteady(seen: Iterable[Sequence[Observation]], value: float | Null) -> float | Null:
    """Return a time or rate; null if the canary found the machine too unsteady for it."""
    unsteady = any(item.reason is Reason.CANARY_LATENCY for step in seen for item in step)
    return Null(Reason.CANARY_LATENCY.value) if unsteady else value


def _unmeasured(report: RunReport, common: Mapping[str, Any]) -> RowMetrics:
    """Return the row of a cell without a measurement: all figures null, the status as reason."""
    nothing = Null(f"STATUS_{report.status.upper()}")
    figures = [name for name in RowMetrics.readings() if name not in common]
    because = invalid_because(report.status, None, None)
    return RowMetrics.of(
        **common,
        **dict.fromkeys(figures, nothing),
        adherence_by_family=(),
        rate_source=None,
        token_metrics_status=None,
        run_quality_status=None,
        run_quality_reasons=(),
        notes=(),
        valid=False,
        invalid_because=because,
        quality_spoiled_by=quality_spoiled_by(report.status, ()),
        speed_spoiled_by=because,
        latency_spoiled_by=because,
    )


def _host_rate(report: RunReport, reason: Reason, reading: str) -> float | Null:
    """Return how often a reason of the host was seen; null if its reading is missing."""
    missing = aggregates.first_missing(report.test_runs, report.probes, reading)
    return missing or reason_share(report, reason)


def _rank(report: RunReport, quant_bits: Mapping[str, float]) -> float | Null:
    """Return bits per weight x 100: of the served file if known, otherwise nominal (T18)."""
    for session in report.sessions:
        if session.served.bits_per_weight is not None:
            return session.served.bits_per_weight * 100
    tag = report.spec.quant_tag
    bits = quant_bits.get(tag) or quant_bits.get(split_label(tag)[0], nominal_bits(tag))
    return Null("UNKNOWN_TAG") if bits is None else bits * 100


def _artifact(report: RunReport) -> RowArtifact:
    served = report.sessions[-1].served if report.sessions else None
    return RowArtifact.of(
        sha256=served.sha256 if served else report.spec.artifact.sha256,
        digest=served.digest if served else report.spec.artifact.pin,
        path=served.path if served else None,
        tag=report.spec.artifact.tag,
        build=served.build if served else None,
        unused_cpu_features=served.unused_cpu_features if served else (),
        bytes=served.reading("bytes") if served else Null("NOT_SERVED"),
        kv_cache=served.kv_cache if served else None,
    )


def _token_status(
    runs: Sequence[TestRun], missing_rate: float | Null, policy: RowPolicy
) -> TokenStatus:
    """Return OK if the policy tolerates the missing telemetry, else the most frequent gap."""
    if not runs:  # no task could be asked, so that nothing is missing
        return TokenStatus.OK
    if isinstance(missing_rate, Null):
        return TokenStatus.NOTHING
    if not exceeds(missing_rate, policy.max_missing_telemetry_rate):
        return TokenStatus.OK
    statuses = [run.telemetry.token_metrics_status for run in runs]
    return statistics.mode(status for status in statuses if status is not TokenStatus.OK)
