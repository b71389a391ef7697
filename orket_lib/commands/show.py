"""What the workflow prints when it is done: the table of quants and the recommendation."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from orket_lib.commands._common import tell

if TYPE_CHECKING:
    from orket_lib.artifacts.summary import Summary


def show_summary(results: Path, since: float) -> None:
    """Print the result of the sweep whose views lie in `results`, if there is one.

    Args:
        results: Folder of the sweep's views.
        since: Time stamp; an older summary is not shown, because after a failure it may not be
            what the config and the measurements say now.
    """
    from orket_lib.artifacts.io import read_model
    from orket_lib.artifacts.summary import Summary
    from orket_lib.report.terminal import terminal_summary

    path = results / "quant_sweep" / "sweep_summary.json"
    if path.is_file() and path.stat().st_mtime >= since:
        summary = read_model(path, Summary)
        report = (path.parent / "sweep_report.md").as_posix()
        further = _contexts(summary, results, since)
        tell(terminal_summary(summary, report, colour=sys.stderr.isatty(), further=further))


def _contexts(summary: Summary, results: Path, since: float) -> list[str]:
    """Return what the context sweeps found, a line for each model; older configs' are left out."""
    from orket_lib.artifacts.context_ceiling import ContextCeiling
    from orket_lib.artifacts.io import read_model

    asked = any(summary.matrix.get(f"context_sweep_{key}") for key in ("contexts", "profile"))
    models = {session.model_id for session in summary.sessions} if asked else set()
    paths = sorted((results / "context_sweep").glob("*/context_ceiling.json"))
    found = [read_model(path, ContextCeiling) for path in paths if path.stat().st_mtime >= since]
    return [f"context: {item.recommendation}" for item in found if item.model_id in models]
