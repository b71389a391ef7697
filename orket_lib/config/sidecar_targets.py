"""The files of a sweep's hardware sidecars; none when the config asks for no sidecar."""

from __future__ import annotations

from orket_lib.artifacts.sidecar import SidecarSpec
from orket_lib.config.resolve import Cell, Sweep
from orket_lib.config.sidecars import find_sidecar, sidecar_spec
from orket_lib.vocabulary.slugs import slug


class SidecarTargets:
    """Paths (with forward slashes) and specs of the sidecars of one sweep."""

    def __init__(self, sweep: Sweep) -> None:
        self._results = sweep.results
        found = find_sidecar(sweep.config)
        cells = sweep.cells if found else ()
        self._cells = {(cell.model_slug, cell.quant_tag): cell for cell in cells}
        self._specs: dict[tuple[str, str], SidecarSpec] = (
            {
                place: sidecar_spec(sweep.config, found, cell.spec)
                for place, cell in self._cells.items()
            }
            if found
            else {}
        )
        self._by_digest = {spec.digest(): place for place, spec in self._specs.items()}

    def cells(self) -> dict[str, Cell]:
        """Return the cell of each sidecar, by the digest of its spec."""
        return {digest: self._cells[place] for digest, place in self._by_digest.items()}

    def all_files(self) -> list[str]:
        """Return every product."""
        return [
            path
            for place in self._specs
            for path in (
                f"{self._folder(place)}/spec.json",
                self.measurement(*place),
                *self.view(*place),
            )
        ]

    def spec_json(self, digest: str) -> str:
        """Return the spec with this digest as canonical JSON."""
        return self._specs[self._place(digest)].canonical()

    def artifact(self, digest: str) -> str:
        """Return the model file, or tag, of the sidecar with this digest."""
        cell: Cell = self._cells[self._place(digest)]
        return str(cell.named)

    def measurement(self, model: str, quant: str) -> str:
        """Return the path of what a cell's sidecar measured."""
        return f"{self._folder((model, quant))}/sidecar.json"

    def view(self, model: str, quant: str) -> list[str]:
        """Return the path of the view of a cell's sidecar; nothing without one."""
        if (model, quant) not in self._specs:
            return []
        return [f"{self._results}/quant_sweep/sidecar/{model}/{quant}_hardware_sidecar.json"]

    def option(self, model: str, quant: str) -> str:
        """Return the option that names the view to the row."""
        return " ".join(f"--sidecar {path}" for path in self.view(model, quant))

    def _folder(self, place: tuple[str, str]) -> str:
        model = slug(self._cells[place].model_id)  # not that of the views, see `Cell.folder`
        return f"storage/sidecars/{model}/{place[1]}/{self._specs[place].digest()}"

    def _place(self, digest: str) -> tuple[str, str]:
        try:
            return self._by_digest[digest]
        except KeyError:
            raise KeyError(f"no sidecar of this config has the digest {digest}") from None
