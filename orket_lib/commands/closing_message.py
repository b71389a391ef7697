"""What the workflow prints when it is done: the table of quants and the recommendation."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from orket_lib.commands._common import tell
from orket_lib.vocabulary.errors import OrketError

if TYPE_CHECKING:
    from orket_lib.artifacts.views.summary import Summary


def show_summary(results: Path, since: float, gate_log: Path | None = None) -> None:
    """Print the result of the sweep whose views lie in `results`, if there is one.

    What can't be read is said, and no error: whatever ended the sweep has an exit code of its own.

    Args:
        results: Folder of the sweep's views.
        since: Time stamp; an older summary is not shown, because after a failure it may not be
            what the config and the measurements say now.
        gate_log: After a failure, the log of the job that passes or fails the KPI gate.
    """
    try:
        _show(results, since, gate_log is not None and _failed_since(gate_log, since))
    except OrketError as error:
        tell(f"the result can't be shown: {error}")


def _show(results: Path, since: float, gate_failed: bool) -> None:
    from orket_lib.artifacts.io import read_model
    from orket_lib.artifacts.views.summary import Summary
    from orket_lib.report.terminal import terminal_summary

    path = results / "quant_sweep" / "sweep_summary.json"
    # The gate's job runs once the summary is what config and measurements say, however old it is.
    if path.is_file() and (gate_failed or path.stat().st_mtime >= since):
        summary = read_model(path, Summary)
        report = (path.parent / "sweep_report.md").as_posix()
        text = terminal_summary(
            summary,
            report,
            colour=sys.stderr.isatty(),
            further=_further(summary, results, since),
            closing=_gate(summary, path.parent / "kpi_gate.json") if gate_failed else (),
        )
        tell(text.rstrip("\n"))


def _failed_since(log: Path, since: float) -> bool:
    """Tell whether a job failed in this call: its log is emptied when it starts."""
    try:
        seen = log.stat()
    except OSError:
        return False
    return seen.st_size > 0 and seen.st_mtime >= since


def _gate(summary: Summary, path: Path) -> list[str]:
    """Return why the gate failed, and what to do."""
    from orket_lib.artifacts.io import read_model
    from orket_lib.artifacts.views.kpis import KpiGate
    from orket_lib.report.kpi_failures import kpi_failures
    from orket_lib.workflow.job_environment import rerun_command

    policy = str(summary.matrix.get("kpi_policy", "the KPI policy"))
    return kpi_failures(read_model(path, KpiGate), summary, policy, rerun_command(["measure_cell"]))


def _further(summary: Summary, results: Path, since: float) -> list[str]:
    """Return what was found at the quants that the frontier picked, a line for each model.

    What an older config asked for may still lie there, and is left out.
    """
    from orket_lib.artifacts.io import read_model
    from orket_lib.artifacts.views.context_ceiling import ContextCeiling
    from orket_lib.artifacts.views.thermal_profile import ThermalProfile

    asked = summary.matrix.get
    kinds: tuple[tuple[str, str, type[ContextCeiling | ThermalProfile], object], ...] = (
        (
            "context",
            "context_sweep/*/context_ceiling.json",
            ContextCeiling,
            asked("context_sweep_contexts") or asked("context_sweep_profile"),
        ),
        ("thermal", "thermal/*/thermal_profile.json", ThermalProfile, asked("thermal_repeats")),
    )
    models = {session.model_id for session in summary.sessions}
    return [
        f"{name}: {found.recommendation}"
        for name, pattern, kind, wanted in kinds
        if wanted
        for path in sorted(results.glob(pattern))
        if path.stat().st_mtime >= since and (found := read_model(path, kind)).model_id in models
    ]
