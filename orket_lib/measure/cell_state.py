"""The progress of a cell's measurement, read from its store without changing it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from statistics import median
from typing import Any

from orket_lib.artifacts.io import read_json, read_model
from orket_lib.artifacts.measurements.parts import Part
from orket_lib.artifacts.measurements.spec import RunSpec
from orket_lib.artifacts.printed.status import CellState
from orket_lib.measure.journal import journal as kinds
from orket_lib.measure.journal.journal import JOURNAL, done_steps, read_lines
from orket_lib.stores.parts import SPEC, CellStore, Wanted, read_part
from orket_lib.vocabulary.errors import ArtifactError
from orket_lib.vocabulary.nulls import Null


def cell_state(store: CellStore, spec: RunSpec, wanted: Wanted) -> tuple[CellState, str, int]:
    """Return the state of a round or batch of a cell, details, and its missing graded runs.

    Args:
        store: The store of the cell.
        spec: What is asked.
        wanted: What the round or batch needs.
    """
    found = store.find(wanted)
    if found.failure:
        failed = read_part(found.failure).failure
        assert failed is not None
        when = found.failure.measured_at[:19]
        return "failed", f"{failed.status.value}: {failed.reason}, {when}Z", 0
    if not found.missing:
        newest = max((part.measured_at for part in found.parts), default="")
        return "measured", f"{newest[:19]}Z" if newest else "", 0
    lines = read_lines(store.open / JOURNAL)
    probes, answers = (
        [line["data"] for line in lines if line["kind"] == kind]
        for kind in (kinds.PROBE, kinds.ANSWER)
    )
    missing = found.missing.without(done_steps(probes, answers))
    runs, total = len(missing.answers), len(wanted.answers) + len(wanted.probes)
    left = runs + len(missing.probes)
    if left < total:
        return "partial", f"{total - left} of {total} steps are done", runs
    return "not measured", _why(store.folder, spec), runs


def expected_seconds(runs: int, folders: Iterable[Path]) -> float | Null:
    """Return about how long so many graded runs will take; null if there is no pace to go by.

    Args:
        runs: Number of runs.
        folders: Of the (model, quant)s, see `seconds_per_run`.
    """
    if not runs:
        return 0.0
    paces = [pace for folder in dict.fromkeys(folders) if (pace := seconds_per_run(folder))]
    return runs * median(paces) if paces else Null("NO_CELL_MEASURED")


def seconds_per_run(folder: Path) -> float | None:
    """Return the duration of a graded run, overheads included; None if there was none.

    Args:
        folder: Of the (model, quant): runs with other settings give an estimate as well.
    """
    paces = []
    for path in sorted(folder.glob("*/parts/*/answers.json"))[-3:]:
        try:
            part = read_model(path, Part)
        except ArtifactError:
            continue
        if part.answers and len(part.sessions) == 1:
            begin, end = map(datetime.fromisoformat, (part.measured_at, part.finished_at))
            paces.append((end - begin).total_seconds() / len(part.answers))
    return median(paces) if paces else None


def _why(folder: Path, spec: RunSpec) -> str:
    """Return the difference to the most similar measurement of this model and quant, if any."""
    wanted = _flat(spec.served())
    differences: list[list[str]] = []
    for path in folder.parent.glob(f"*/{SPEC}"):
        if path.parent != folder and any(path.parent.glob("parts/*")):
            try:
                old = RunSpec.model_validate(read_json(path)).served()
                differences.append(_difference(_flat(old), wanted))
            except (ArtifactError, ValueError):
                continue
    if not differences:
        return ""
    nearest = min(differences, key=lambda difference: len(difference))
    return f"an earlier measurement has {', '.join(nearest)}"


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
