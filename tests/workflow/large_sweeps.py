"""Sweeps of many cells that nothing was measured of, or all: what planning costs, not measuring."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

from sweep_workspace import Workspace

from orket_lib.artifacts.io import write_model
from orket_lib.artifacts.measurements.parts import IndexedPart, PartIndex
from orket_lib.stores.parts import INDEX, PARTS, SPEC, Wanted
from orket_lib.sweep.cells import Cell
from orket_lib.vocabulary.quants import NOMINAL_BITS
from orket_lib.workflow.targets import Targets

MEASURED_AT = "2026-11-23T15:04:05.123Z"
_QUANTS = 10


def large_sweep(
    folder: Path, cells: int, quants: int = _QUANTS, machine: str | None = None
) -> Workspace:
    """Return a workspace with a config of so many cells; no server is needed.

    Args:
        folder: Is made.
        cells: A multiple of `quants`.
        quants: Of each model.
        machine: That is to measure; None means this one.
    """
    folder.mkdir(parents=True)
    workspace = Workspace(folder)
    for key in ("artifact_template", "threads"):
        del workspace.config[key]
    workspace.config |= {
        "sweep": "large",
        "models": [f"model-{number:04d}" for number in range(cells // quants)],
        "quants": list(NOMINAL_BITS)[:quants],
        "provider": "ollama",
        "tag_template": "{model}:{quant}",
        "machine": machine,
    }
    workspace.command()  # which writes the config
    return workspace


def pretend_measured(workspace: Workspace) -> None:
    """Lay down what a finished sweep leaves: sealed parts, receipts, and a file for every view.

    The views are empty but for what planning reads of them; `snakemake --touch` makes them current.
    """
    sweep = workspace.resolved()
    targets = Targets(sweep)
    receipt = json.dumps({"attempt": 0, "interrupted": []})
    with contextlib.chdir(workspace.folder):
        for cell in sweep.cells:
            _seal(cell)
        for path in map(Path, targets.all_files()):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(receipt if path.name == "receipt.json" else "{}", encoding="utf-8")
        for name, content in targets.rendered().items():
            Path(name).write_text(content(), encoding="utf-8")


def _seal(cell: Cell) -> None:
    wanted = Wanted.of(cell.spec)
    parts = tuple(
        IndexedPart(kind=kind, file=f"{kind}.json", sha256="0" * 64, items=tuple(sorted(items)))
        for kind, items in (("probes", wanted.probes), ("answers", wanted.answers))
    )
    folder = cell.store.folder / PARTS / "20261123T150405.123Z"
    write_model(folder / INDEX, PartIndex(measured_at=MEASURED_AT, parts=parts))
    write_model(cell.store.folder / SPEC, cell.spec)


def machines(count: int) -> list[str]:
    """Return the fingerprints of machines that differ in their GPUs only."""
    return [f"linux|cpu|8|64|card-{number}_x_1" for number in range(count)]
