"""The status of a sweep as text."""

from __future__ import annotations

from orket_lib.artifacts.printed.status import CellStatus, RunningSweep, SweepStatus
from orket_lib.report.formatting import aligned
from orket_lib.vocabulary.units import counted, duration


def status_text(status: SweepStatus) -> str:
    """Return the status: gates, one line per cell, then what a run would do and its duration."""
    lines = [
        f"status of sweep `{status.sweep}`",
        *_running(status.running),
        f"  preflight  {status.preflight}",
        f"  canary     {status.canary}",
    ]
    lines += aligned(((_name(cell), cell.state, cell.detail) for cell in status.cells), indent=2)
    if status.running:
        lines.append("  the jobs that are left are not counted while it runs")
    elif status.jobs is None:
        lines.append(f"  snakemake could not list the stale files: {status.jobs_note}")
    elif not status.jobs:
        lines.append("  everything is up to date: a run would do nothing")
    else:
        listed = ", ".join(f"{name} {count}" for name, count in status.jobs.items())
        lines.append(f"  a run would start: {listed}")
    lines.append(f"  to be measured: {counted(status.missing_runs, 'graded run')}{_cost(status)}")
    return "\n".join(lines)


def _running(now: RunningSweep | None) -> list[str]:
    if now is None:
        return []
    left = f", about {duration(now.seconds_left)} left" if now.seconds_left is not None else ""
    measured = f"{now.measured} of {now.measurements} measured"
    return [f"  running    {now.now}; {measured}{left} (process {now.pid}; `orket watch` shows it)"]


def _name(cell: CellStatus) -> str:
    again = f", round {cell.round}" if cell.round > 1 else ""
    if cell.batch is not None:
        again = f", batch {cell.batch}"
    return f"{cell.model_id} {cell.quant_tag}{again}"


def _cost(status: SweepStatus) -> str:
    if not status.missing_runs:
        return ""
    if status.expected_seconds is None:
        return "; there is no estimate of the time yet"
    return f", about {duration(status.expected_seconds)} {status.expected_from}"
