"""Looking at a cell's folder without touching it: how far its measurement got."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from orket_lib.artifacts.io import read_json, read_model
from orket_lib.artifacts.run_report import RunReport
from orket_lib.artifacts.spec import RunSpec
from orket_lib.artifacts.status import CellState
from orket_lib.measure import journal as kinds
from orket_lib.measure.journal import JOURNAL, read_lines
from orket_lib.vocabulary.errors import ArtifactError
from orket_lib.vocabulary.statuses import RunStatus


def cell_state(folder: Path, spec: RunSpec) -> tuple[CellState, str]:
    """Return the state of a cell's measurement and a few words on it."""
    report = report_of(folder)
    if report is not None:
        done = report.status is RunStatus.MEASURED
        what = "" if done else f"{report.status.value}: {report.status_reason}, "
        return ("measured" if done else "failed"), f"{what}{report.measured_at[:19]}Z"
    lines = read_lines(folder / JOURNAL)
    seen = [line["kind"] for line in lines]
    if kinds.SEALED not in seen and kinds.END in seen:
        return "complete", "measured, the report is to be written"
    steps = seen.count(kinds.RUN) + seen.count(kinds.PROBE)
    if kinds.SEALED not in seen and steps:
        total = len(spec.tasks.ids) * spec.runs_per_task + spec.probe_runs
        return "partial", f"{steps} of {total} steps are done"
    return "not measured", _why(folder, spec)


def report_of(folder: Path) -> RunReport | None:
    """Return the report in a cell's folder, or None when there is none that can be read."""
    try:
        return read_model(folder / "run.json", RunReport)
    except ArtifactError:
        return None


def sibling_report(folder: Path) -> RunReport | None:
    """Return the newest report of the same (model, quant) with other settings, if there is one."""
    paths = sorted(folder.parent.glob("*/run.json"), key=lambda path: path.stat().st_mtime)
    return report_of(paths[-1].parent) if paths else None


def seconds_per_run(report: RunReport) -> float | None:
    """Return how long a graded run of this measurement took, all overheads included."""
    if report.status is not RunStatus.MEASURED or len(report.sessions) != 1:
        return None  # an interrupted measurement's begin and end say nothing about its length
    begin, end = map(datetime.fromisoformat, (report.measured_at, report.finished_at))
    return (end - begin).total_seconds() / max(1, len(report.test_runs))


def _why(folder: Path, spec: RunSpec) -> str:
    """Return what differs from the nearest measurement of the same cell."""
    wanted = _flat(spec.model_dump(mode="json"))
    differences: list[list[str]] = []
    for path in folder.parent.glob("*/spec.json"):
        if path.parent != folder and (path.parent / "run.json").is_file():
            try:
                differences.append(_difference(_flat(read_json(path)), wanted))
            except ArtifactError:
                continue
    if not differences:
        return "never measured"
    nearest = min(differences, key=lambda difference: len(difference))
    return "measured with " + ", ".join(nearest)


def _difference(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    keys = [key for key in new if old.get(key) != new[key]]
    return [f"{key} {_short(old.get(key))} instead of {_short(new[key])}" for key in keys]


def _flat(value: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, inner in value.items():
        if isinstance(inner, Mapping):
            flat |= _flat(inner, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = inner
    return flat


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= 16 else f"{text[:12]}..."
