"""Small real measurements of the reference model."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from builders import STRICT, spec
from measured import measured_report

from orket_lib.analysis.rows.row import build_row
from orket_lib.artifacts.io import sha256_of_file
from orket_lib.artifacts.measurements.spec import ArtifactIdentity, ControlSettings, RunSpec
from orket_lib.artifacts.row_settings import RowPolicy
from orket_lib.artifacts.views.row import RowMetrics
from orket_lib.artifacts.views.run_report import RunReport, TestRun
from orket_lib.measure.progress import Progress
from orket_lib.providers.base import Source
from orket_lib.tasks.bank import Task, TaskBank, load_bank, selection
from orket_lib.telemetry.fingerprint import hardware_fingerprint
from orket_lib.vocabulary.reasons import Reason
from orket_lib.vocabulary.statuses import Lane, SidecarStatus

ROOT = Path(__file__).resolve().parents[2]
TAGS = ("F16", "Q8_0", "Q6_K", "Q5_K_M", "Q4_K_M", "Q3_K_M", "Q2_K")
OPEN = STRICT.model_copy(update={"max_orchestration_overhead_ratio": 1.0})


@cache
def bank() -> TaskBank:
    """Return the reference bank."""
    return load_bank(ROOT / "config" / "task_banks" / "reference.json")


def nano_file(tag: str) -> Path:
    """Return the reference model in one quant."""
    return ROOT / "models" / "orket-nano" / f"orket-nano-{tag}.gguf"


def nano_spec(
    tag: str, artifact: Path | None = None, tasks: int = 3, threads: int = 1, **changes: Any
) -> RunSpec:
    """Return the spec of a small cell on this machine, with the hash of the file as it is."""
    values: dict[str, Any] = {
        "quant_tag": tag,
        "artifact": ArtifactIdentity(sha256=sha256_of_file(artifact or nano_file(tag))),
        "controls": ControlSettings(seed=7, threads=threads, warmup_steps=2),
        "tasks": selection(bank(), bank().tasks[:tasks]),
        "machine": hardware_fingerprint(),
    }
    return spec(**(values | changes))


def tasks_of(wanted: RunSpec) -> tuple[Task, ...]:
    """Return the tasks that a spec names."""
    return tuple(task for task in bank().tasks if task.id in wanted.tasks.ids)


def measure(
    folder: Path, wanted: RunSpec, artifact: Path | None = None, progress: Progress | None = None
) -> RunReport:
    """Measure a cell for real."""
    served = artifact or nano_file(wanted.quant_tag)
    return measured_report(folder, wanted, tasks_of(wanted), Source(served), progress)


def row_of(report: RunReport, lane: Lane = Lane.CI, policy: RowPolicy = OPEN) -> RowMetrics:
    """Return a report's row."""
    return build_row(report, policy, lane, {}, SidecarStatus.NOT_APPLICABLE, "run.json")


def evidence(run: TestRun, reason: Reason) -> str:
    """Return the evidence of a reason in a run, empty where it was not seen."""
    seen = [item for item in run.telemetry.run_quality_reasons if item.reason is reason]
    return "; ".join(item.evidence for item in seen)
