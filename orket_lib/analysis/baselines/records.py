"""From a run report to baselines: one record per task."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from orket_lib.analysis.rows import aggregates
from orket_lib.artifacts.baseline import Baseline, BaselineMetadata, GoldTelemetry
from orket_lib.artifacts.digest import digest_of
from orket_lib.artifacts.views.run_report import RunReport, TestRun
from orket_lib.vocabulary.clock import file_stamp
from orket_lib.vocabulary.nulls import Null, any_of
from orket_lib.vocabulary.slugs import slug
from orket_lib.vocabulary.statuses import Lane

# Fields of a spec that identify the cell or are compared separately; the rest are settings.
_NO_SETTINGS: Any = {
    "kind": True,
    "model_id": True,
    "quant_tag": True,
    "artifact": True,
    "provider_version": True,
    "server": {"build", "digest"},
    "tasks": True,
    "machine": True,
    "runs_per_task": True,
    "probe_runs": True,
    "on_server_death": True,
}


def measurement_ref(report: RunReport) -> str:
    """Return the name of a measurement: the path of its attempt below `storage/runs/`."""
    model, moment = slug(report.spec.model_id), file_stamp(report.measured_at)
    return f"{model}/{report.spec.quant_tag}/{report.spec_digest}/{moment}"


def settings_digest(report: RunReport) -> str:
    """Return the digest of the settings that times depend on.

    The model file, the tasks and the machine are compared separately. A newer runtime is not
    another setting: baselines exist to show whether it is slower.
    """
    return digest_of(report.spec.model_dump(mode="json", exclude=_NO_SETTINGS))


def baselines_of(
    report: RunReport, revisions: Mapping[str, str], clean: bool, lane: Lane | None = None
) -> dict[str, Baseline]:
    """Return a record for each graded task of a measured cell, by test id.

    Args:
        report: What was measured.
        revisions: Digest of each task's content, by test id.
        clean: Whether it was undisturbed by the rules of lane `lab`.
        lane: Of the sweep; None when a report is recorded without one.
    """
    served = report.sessions[-1].served
    metadata = {
        "test_run_id": measurement_ref(report),
        "model_id": report.spec.model_id,
        "model_hash": served.sha256 or served.digest,
        "quant_tag": report.spec.quant_tag,
        "bank_id": report.spec.tasks.bank_id,
        "hardware_fingerprint": report.hardware_fingerprint,
        "settings_digest": settings_digest(report),
        "build": served.build,
        "created_at": report.measured_at,
        "execution_lane": lane,
        "clean": clean,
    }
    of_all_tasks = _of_the_cell(report)
    groups: dict[str, list[TestRun]] = defaultdict(list)
    for run in aggregates.graded(report.test_runs):
        groups[run.test_id].append(run)
    return {
        test_id: Baseline(
            baseline_metadata=BaselineMetadata(task_revision=revisions[test_id], **metadata),
            gold_telemetry=GoldTelemetry.of(
                adherence_score=statistics.fmean(
                    score for run in runs if (score := run.telemetry.adherence_score) is not None
                ),
                total_latency=aggregates.mean_over_answered(runs, "total_latency"),
                fastest_latency=any_of(
                    [
                        run.telemetry.reading("total_latency")
                        for run in runs
                        if aggregates.answered(run)
                    ],
                    min,
                    Null("NO_RUN_ANSWERED"),
                ),
                runs=len(runs),
                **of_all_tasks,
            ),
        )
        for test_id, runs in groups.items()
    }


def _of_the_cell(report: RunReport) -> dict[str, Any]:
    return {
        "ttft_ms": aggregates.median_ttft_ms(report.probes),
        **aggregates.probe_rates(report.probes),
        "peak_memory_rss": aggregates.peak(report.test_runs, "peak_memory_rss"),
        "peak_vram_mib": aggregates.peak(report.test_runs, "peak_vram_mib"),
        "init_latency": report.sessions[0].load.reading("load_seconds"),
    }
