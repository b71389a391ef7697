"""The status of a sweep as a person reads it."""

from __future__ import annotations

from orket_lib.artifacts.printed.status import CellStatus, SweepStatus


def status_text(status: SweepStatus) -> str:
    """Return the status as text: verdicts, one line per cell, then what a run would do and cost."""
    lines = [
        f"status of sweep `{status.sweep}`",
        f"  preflight  {status.preflight}",
        f"  canary     {status.canary}",
    ]
    names = [_name(cell) for cell in status.cells]
    width = max(map(len, names), default=0)
    for name, cell in zip(names, status.cells, strict=True):
        lines.append(f"  {name:<{width}}  {cell.state:<12}  {cell.detail}")
    if status.jobs is None:
        lines.append(f"  snakemake can't tell what is stale: {status.jobs_note}")
    elif not status.jobs:
        lines.append("  everything is current: `snakemake` has nothing to do")
    else:
        listed = ", ".join(f"{name} {count}" for name, count in status.jobs.items())
        lines.append(f"  `snakemake` would run: {listed}")
    lines.append(f"  to be measured: {status.missing_runs} graded runs{_cost(status)}")
    return "\n".join(lines)


def _name(cell: CellStatus) -> str:
    again = f", round {cell.round}" if cell.round > 1 else ""
    return f"{cell.model_id} {cell.quant_tag}{again}"


def _cost(status: SweepStatus) -> str:
    if not status.missing_runs:
        return ""
    if status.expected_seconds is None:
        return "; nothing like it was measured yet, so how long that takes is not known"
    minutes, seconds = divmod(round(status.expected_seconds), 60)
    return f", about {minutes} min {seconds} s at the pace of the measured cells"
