"""What the workflow prints when it is done: the table of quants and the recommendation."""

from __future__ import annotations

import sys
from pathlib import Path

from orket_lib.commands._common import tell


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
        further = thermal_lines(results, since)
        tell(terminal_summary(summary, report, colour=sys.stderr.isatty(), further=further))


def thermal_lines(results: Path, since: float) -> list[str]:
    """Return what each thermal profile of a sweep recommends, of those that are new enough."""
    from orket_lib.artifacts.io import read_model
    from orket_lib.artifacts.thermal_profile import ThermalProfile

    paths = sorted(results.glob("thermal/*/thermal_profile.json"))
    return [
        f"thermal: {read_model(path, ThermalProfile).recommendation}"
        for path in paths
        if path.stat().st_mtime >= since
    ]
