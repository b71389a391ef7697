"""The status of a sweep as text."""

from __future__ import annotations

from orket_lib.artifacts.printed.status import CellStatus, SweepStatus
from orket_lib.report.formatting import aligned


def status_text(status: SweepStatus) -> str:
    """Return the status: gates, one line per cell, then what a run would do and its duration."""
    lines = [
        f"status of sweep `{status.sweep}`",
        f"  preflight  {status.preflight}",
        f"  canary     {status.canary}",
    ]
    lines += aligned(((_name(cell), cell.state, cell.detail) for cell in status.cells), indent=2)
    if status.jobs is None:
        lines.append(f"  snakemake could not list the stale files: {status.jobs_note}")
    elif not status.jobs:
        lines.append("  everything is up to date: `snakemake` has nothing to do")
    else:
        listed = ", ".join(f"{name} {count}" for name, count in status.jobs.items())
        lines.append(f"  `snakemake` would run: {listed}")
    lines.append(f"  to be measured: {status.missing_runs} graded runs{_cost(status)}")
    return "\n".join(lines)


def _name(cell: CellStatus) -> str:
    again = f", round {cell.round}" if cell.round > 1 else ""
    if cell.batch is not None:
        again = f", batch {cell.batch}"
    return f"{cell.model_id} {cell.quant_tag}{again}"


def _cost(status: SweepStatus) -> str:
    if not status.missing_runs:
        return ""
    if status.expected_seconds is None:
        return "; no similar measurement yet, so there is no estimate of the time"
    minutes, seconds = divmod(round(status.expected_seconds), 60)
    return f", about {minutes} min {seconds} s at the pace of the measured cells"
