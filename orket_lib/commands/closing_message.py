"""The workflow's last words: the table of quants and the recommendation."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from orket_lib.analysis.verdict.caveats import by_the_machine
from orket_lib.artifacts.io import read_model
from orket_lib.artifacts.progress import Event
from orket_lib.artifacts.views.context_ceiling import ContextCeiling, ContextQuants
from orket_lib.artifacts.views.kpis import KpiGate
from orket_lib.artifacts.views.summary import Summary
from orket_lib.artifacts.views.thermal_profile import ThermalProfile
from orket_lib.commands._common import reader_may_leave, tell
from orket_lib.commands._screen import Screen
from orket_lib.config.sections.context import ALL, PICK
from orket_lib.report.kpi_failures import disturbed_part, kpi_failures
from orket_lib.report.terminal import terminal_summary
from orket_lib.vocabulary.errors import OrketError
from orket_lib.workflow.job_environment import command_with, rerun_command


def show_summary(results: Path, since: float, gate_log: Path | None = None) -> None:
    """Print the result of the sweep whose views are in `results`, if there is one.

    An unreadable result is reported, but is no error: Snakemake has set the exit code already.

    Args:
        results: Folder of the sweep's views.
        since: Start of the workflow. After a failure, an older summary may not match the config
            and the measurements, so it is not shown.
        gate_log: After a failure, the log of the job that enforces the KPI gate.
    """
    try:
        _show(results, since, gate_log is not None and _failed_since(gate_log, since))
    except OrketError as error:
        tell(f"the result can't be shown: {error}")


def _show(results: Path, since: float, gate_failed: bool) -> None:
    path = results / "quant_sweep" / "sweep_summary.json"
    # The gate's job runs only once the summary is current, however old the file is.
    if path.is_file() and (gate_failed or path.stat().st_mtime >= since):
        summary = read_model(path, Summary)
        report = (path.parent / "sweep_report.html").as_posix()
        if sys.stdout.isatty():
            tell("")  # a blank line between the sweep and its result
        found = measured_at_picks(summary, results, since)
        further = [*_further(summary, found), *quants_lines(summary, results, since)]
        print_summary(summary, report, further, found)
        if gate_failed:
            why = "\n".join(_gate(summary, path.parent / "kpi_gate.json"))
            failed = Event(kind="failed", title="pass_kpis", text=why)
            Screen(lambda: None, "").print_failures([failed], report)


def print_summary(
    summary: Summary,
    report: str,
    further: Sequence[str],
    found: Sequence[ContextCeiling | ThermalProfile],
) -> None:
    """Print the result of a sweep on standard output, with our colours on a terminal.

    Args:
        summary: What the sweep found.
        report: Path of the full report.
        further: Lines that follow the result.
        found: What was measured at the picks.
    """
    contexts = [it for it in found if isinstance(it, ContextCeiling)]
    terminal = sys.stdout.isatty()
    width = min(100, shutil.get_terminal_size().columns) if terminal else None
    colour = terminal and not os.environ.get("NO_COLOR")
    text = terminal_summary(summary, report, width, colour, further, contexts)
    with reader_may_leave(sys.stdout):
        print(text, end="", flush=True)  # noqa: T201 - visible already, and with our own colours


def _failed_since(log: Path, since: float) -> bool:
    """Return whether a job failed in this call. Its log is emptied when it starts."""
    try:
        seen = log.stat()
    except OSError:
        return False
    return seen.st_size > 0 and seen.st_mtime >= since


def _gate(summary: Summary, path: Path) -> list[str]:
    """Return why the gate failed, and what to do."""
    policy = str(summary.matrix.get("kpi_policy", "the KPI policy"))
    gate = read_model(path, KpiGate)
    part = disturbed_part(gate, summary)
    again = command_with(f"again={part}") if part else rerun_command(["measure_cell"])
    return kpi_failures(gate, summary, policy, again)


def _no_speeds(summary: Summary) -> bool:
    """Tell whether answers could be judged, but speeds can't."""
    rows = [row for session in summary.sessions for row in session.per_quant]
    judged = [row for row in rows if row.adherence_score is not None and row.quality_valid]
    disturbed = any(by_the_machine(row) and not row.speed_valid for row in judged)
    return bool(judged) and (summary.canary.quality_only or disturbed)


def _further(summary: Summary, found: Sequence[ContextCeiling | ThermalProfile]) -> list[str]:
    """Return what to type for more, and what was measured at the picks, one line each."""
    said = [f"on a quiet machine: {command_with('again=probes')}"] if _no_speeds(summary) else []
    return [*said, *map(measured_line, found)]


def measured_line(found: ContextCeiling | ThermalProfile) -> str:
    """Return what was measured at a pick, in one line."""
    name = "context" if isinstance(found, ContextCeiling) else "thermal"
    return f"{name}: {found.recommendation}"


def quants_lines(summary: Summary, results: Path, since: float = 0.0) -> list[str]:
    """Return what comparing the contexts of several quants found, see `measured_at_picks`."""
    asked = summary.matrix.get("context_quants") or [PICK]
    models = {session.model_id for session in summary.sessions}
    found = [
        read_model(path, ContextQuants)
        for path in sorted(results.glob("context_sweep/*/context_quants.json"))
        if (asked == [ALL] or len(asked) > 1) and path.stat().st_mtime >= since
    ]
    return [
        f"{it.model_id}: {line}" for it in found if it.model_id in models for line in it.conclusions
    ]


def measured_at_picks(
    summary: Summary, results: Path, since: float = 0.0
) -> list[ContextCeiling | ThermalProfile]:
    """Return the context ceilings and thermal profiles of a sweep.

    Those that only an earlier config asked for are left out.

    Args:
        summary: What the sweep found.
        results: Folder of its views.
        since: Earlier files are left out.
    """
    asked = summary.matrix.get
    kinds: tuple[tuple[str, type[ContextCeiling | ThermalProfile], object], ...] = (
        (
            "context_sweep/*/context_ceiling.json",
            ContextCeiling,
            asked("context_sweep_contexts")
            or asked("context_sweep_profile")
            or "context" in (asked("wants") or {}),
        ),
        ("thermal/*/thermal_profile.json", ThermalProfile, asked("thermal_repeats")),
    )
    models = {session.model_id for session in summary.sessions}
    return [
        found
        for pattern, kind, wanted in kinds
        if wanted
        for path in sorted(results.glob(pattern))
        if path.stat().st_mtime >= since and (found := read_model(path, kind)).model_id in models
    ]
