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
        further = _further(summary, results, since)
        tell(terminal_summary(summary, report, colour=sys.stderr.isatty(), further=further))


def _further(summary: Summary, results: Path, since: float) -> list[str]:
    """Return what was found at the quants that the frontier picked, a line for each model.

    What an older config asked for may still lie there, and is left out.
    """
    from orket_lib.artifacts.context_ceiling import ContextCeiling
    from orket_lib.artifacts.io import read_model
    from orket_lib.artifacts.thermal_profile import ThermalProfile

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
