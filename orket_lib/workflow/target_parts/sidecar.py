"""The files of a sweep's hardware sidecars; none if the config has no sidecar."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from pydantic import BaseModel

from orket_lib.sweep.cells import Sweep
from orket_lib.sweep.requests import asked_sidecar
from orket_lib.sweep.sidecar import find_sidecar, sidecar_spec


class SidecarTargets:
    """Paths (with forward slashes) and rendered records of a sweep's sidecars."""

    def __init__(self, sweep: Sweep) -> None:
        self._results = sweep.results
        found = find_sidecar(sweep.config)
        self._asked = {
            (cell.model_slug, cell.quant_tag): asked_sidecar(
                sweep, cell, sidecar_spec(sweep.config, found, cell.spec)
            )
            for cell in sweep.cells
            if found
        }

    def all_files(self) -> list[str]:
        """Return every product."""
        return [
            path
            for model, quant in self._asked
            for path in (
                self._spec(model, quant),
                *self.receipt(model, quant),
                *self.view(model, quant),
            )
        ]

    def records(self) -> dict[str, Callable[[], BaseModel]]:
        """Return what each rendered file contains, by path."""
        return {self._spec(*pair): partial(self._asked.__getitem__, pair) for pair in self._asked}

    def receipt(self, model: str, quant: str) -> list[str]:
        """Return the path of the receipt of a cell's sidecar; nothing without one."""
        asked = (model, quant) in self._asked
        return [f"{self._results}/cells/{model}/{quant}/sidecar_receipt.json"] if asked else []

    def view(self, model: str, quant: str) -> list[str]:
        """Return the path of the view of a cell's sidecar; nothing without one."""
        if (model, quant) not in self._asked:
            return []
        folder = f"{self._results}/quant_sweep/sidecar"
        return [f"{folder}/{model}/{quant}_hardware_sidecar.json"]

    def _spec(self, model: str, quant: str) -> str:
        return f"{self._results}/cells/{model}/{quant}/sidecar_spec.json"
