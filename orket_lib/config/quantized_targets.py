"""The files that a sweep makes for its cells, as the workflow's rules need to know them.

A measurement takes a marker as its input, not the model file itself. Markers last until their
measurement is done, and each has only one: so a file that is made again for one measurement is no
reason to repeat another one that was made with it before, which it would be as an input of both.
"""

from __future__ import annotations

from collections.abc import Mapping

from orket_lib.config.model import SweepConfig
from orket_lib.config.naming import Recipe
from orket_lib.config.resolve import Cell


class QuantizedTargets:
    """Markers and options of the rule that makes files."""

    def __init__(self, config: SweepConfig, measurements: Mapping[str, Cell]) -> None:
        """Take the config, and the cell of each measurement by the measurement's digest."""
        self._config = config
        self._cells = measurements

    def marker(self, measurement: str) -> list[str]:
        """Return what a measurement has to wait for: nothing when its file is there already."""
        cell = self._cells[measurement]
        if cell.named.recipe is None or cell.path is None:
            return []
        return [f"{cell.path.parent.as_posix()}/{measurement}.ready"]

    def options(self, measurement: str) -> list[str]:
        """Return the options that make the file of a measurement."""
        cell = self._cells[measurement]
        assert cell.named.recipe is not None
        return [
            f"--base={cell.named.recipe.base.as_posix()}",
            f"--base-sha256={cell.spec.artifact.quantized_from}",
            f"--quant={cell.quant_tag}",
            *_imatrix(cell, cell.named.recipe),
            f"--binary={self._config.quantize_binary}",
            *(["--allow-requantize"] if self._config.quantize_allow_requantize else []),
            f"--out={cell.named}",
        ]


def _imatrix(cell: Cell, recipe: Recipe) -> list[str]:
    if recipe.imatrix is None:
        return []
    return [
        f"--imatrix={recipe.imatrix.as_posix()}",
        f"--imatrix-sha256={cell.spec.artifact.imatrix}",
    ]
