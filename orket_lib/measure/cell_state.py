"""The progress of a cell's measurement, read from its store without changing it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from orket_lib.artifacts.io import read_json
from orket_lib.artifacts.measurements.spec import RunSpec
from orket_lib.artifacts.printed.status import CellState
from orket_lib.measure.journal import journal as kinds
from orket_lib.measure.journal.journal import JOURNAL, done_steps, read_lines
from orket_lib.stores.parts import SPEC, CellStore, Wanted, read_part
from orket_lib.vocabulary.errors import ArtifactError


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
    missing = missing_steps(store, wanted)
    runs, total = len(missing.answers), len(wanted.answers) + len(wanted.probes)
    left = runs + len(missing.probes)
    if left < total:
        return "partial", f"{total - left} of {total} steps are done", runs
    return "not measured", _why(store.folder, spec), runs


def missing_steps(store: CellStore, wanted: Wanted) -> Wanted:
    """Return the steps that neither a sealed part nor the open journal has; none after a failure.

    Raises:
        ArtifactError: The journal or an index is damaged.
    """
    found = store.find(wanted)
    if found.failure or not found.missing:
        return Wanted(frozenset(), frozenset())
    lines = read_lines(store.open / JOURNAL)
    probes, answers = (
        [line["data"] for line in lines if line["kind"] == kind]
        for kind in (kinds.PROBE, kinds.ANSWER)
    )
    return found.missing.without(done_steps(probes, answers))


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
