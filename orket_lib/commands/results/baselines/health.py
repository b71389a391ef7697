"""`orket baselines list` and `health`: the size, use and problems of each history."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from orket_lib.analysis.baselines.resolution import Wanted, tally
from orket_lib.commands._common import print_json, print_text, tell
from orket_lib.commands.results.baselines.cells import filled_store
from orket_lib.stores.baselines import BaselineStore
from orket_lib.vocabulary.errors import ArtifactError


@dataclass(frozen=True)
class _History:
    """Figures of one history file.

    Attributes:
        test_id: Its task; None if the file can't be read.
        file: Its name.
        records: Number of records.
        pinned: Number of pinned records.
        cells: Number of (model, quant) pairs.
        oldest: Time of the first measurement.
        newest: Time of the last measurement.
    """

    test_id: str | None
    file: str
    records: int = 0
    pinned: int = 0
    cells: int = 0
    oldest: str | None = None
    newest: str | None = None


@dataclass(frozen=True)
class _Health(_History):
    """Problems of a history, and how many of its records can be compared with.

    Attributes:
        outdated: Records that `prune` would remove.
        matching: Records of the given machine and task revision.
        other_machine: Records of other machines.
        other_revision: Records of this machine with another task revision.
        problem: Why it can't be read; None if it can.
    """

    outdated: int = 0
    matching: int = 0
    other_machine: int = 0
    other_revision: int = 0
    problem: str | None = None


_FIGURES = ("records", "pinned", "cells")
_USES = ("matching", "other_machine", "other_revision")


def list_histories(options: argparse.Namespace) -> int:
    """Print the figures of each task's history."""
    store = filled_store(options)
    found = [_History(**_figures(store, store.test_id_in(path), path)) for path in store.files()]
    if options.json:
        print_json({"histories": [asdict(item) for item in found]})
    else:
        _print(found, _FIGURES)
    return 0


def health(options: argparse.Namespace) -> int:
    """Read every history, and print the unreadable ones after the others."""
    store = filled_store(options)
    files = store.files() if options.test_id is None else (store.path(options.test_id),)
    found = [_health(store, path, options) for path in files]
    totals = {name: sum(getattr(item, name) for item in found) for name in _USES}
    if options.json:
        print_json({"histories": [asdict(item) for item in found], **totals})
    else:
        _print(found, (*_FIGURES, "outdated", *_USES))
        uses = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in totals.items())
        tell(f"{sum(item.records for item in found)} records: {uses}")
    broken = [item for item in found if item.problem]
    for item in broken:
        tell(f"{item.file}: {item.problem}")
    return 1 if broken else 0


def _health(store: BaselineStore, path: Path, options: argparse.Namespace) -> _Health:
    wanted = Wanted(options.hardware_fingerprint, options.task_revision)
    try:
        test_id = store.test_id_in(path)
        gone = store.prune(test_id, options.keep_last, options.per, dry_run=True)
        uses = asdict(tally(store.history(test_id), wanted))
        return _Health(**_figures(store, test_id, path), outdated=len(gone), **uses)
    except ArtifactError as error:
        return _Health(None, path.name, problem=str(error))


def _figures(store: BaselineStore, test_id: str, path: Path) -> dict[str, Any]:
    records = [item.baseline_metadata for item in store.history(test_id)]
    return {
        "test_id": test_id,
        "file": path.name,
        "records": len(records),
        "pinned": sum(item.pinned for item in records),
        "cells": len({(item.model_id, item.quant_tag) for item in records}),
        "oldest": records[0].created_at if records else None,
        "newest": records[-1].created_at if records else None,
    }


def _print(found: Sequence[_History], figures: Sequence[str]) -> None:
    from orket_lib.report.formatting import aligned

    head = ("task", *(name.replace("_", " ") for name in figures), "oldest", "newest")
    print_text("\n".join(aligned([head, *(_cells(item, figures) for item in found)])))


def _cells(item: _History, figures: Sequence[str]) -> tuple[str, ...]:
    name = item.test_id or f"{item.file} (can't be read)"
    counts = (str(getattr(item, figure)) for figure in figures)
    return (name, *counts, item.oldest or "", item.newest or "")
