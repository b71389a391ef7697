"""The files of a sweep's hardware sidecars; none when the config asks for no sidecar."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from orket_lib.artifacts.digest import canonical_json
from orket_lib.sweep.cells import Sweep
from orket_lib.sweep.requests import asked_sidecar
from orket_lib.sweep.sidecar import find_sidecar, sidecar_spec


class SidecarTargets:
    """Paths (with forward slashes) and rendered contents of the sidecars of one sweep."""

    def __init__(self, sweep: Sweep) -> None:
        self._results = sweep.results
        found = find_sidecar(sweep.config)
        self._asked = (
            {
                (cell.model_slug, cell.quant_tag): asked_sidecar(
                    sweep, cell, sidecar_spec(sweep.config, found, cell.spec)
                )
                for cell in sweep.cells
            }
            if found
            else {}
        )

    def all_files(self) -> list[str]:
        """Return every product."""
        return [
            path
            for model, quant in self._asked
            for path in (
                f"{self._results}/cells/{model}/{quant}/sidecar_spec.json",
                f"{self._results}/cells/{model}/{quant}/sidecar_receipt.json",
                *self.view(model, quant),
            )
        ]

    def rendered(self) -> dict[str, Callable[[], str]]:
        """Return what makes the content of each file that the workflow renders, by path."""
        return {
            f"{self._results}/cells/{'/'.join(pair)}/sidecar_spec.json": partial(
                self.spec_json, *pair
            )
            for pair in self._asked
        }

    def spec_json(self, model: str, quant: str) -> str:
        """Return what runs the sidecar of a cell, as canonical JSON."""
        return canonical_json(self._asked[model, quant].model_dump(mode="json"))

    def view(self, model: str, quant: str) -> list[str]:
        """Return the path of the view of a cell's sidecar; nothing without one."""
        if (model, quant) not in self._asked:
            return []
        folder = f"{self._results}/quant_sweep/sidecar"
        return [f"{folder}/{model}/{quant}_hardware_sidecar.json"]
