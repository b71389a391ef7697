"""The files of `fidelity: kld`; none without it."""

from __future__ import annotations

from collections.abc import Callable

from pydantic import BaseModel

from orket_lib.sweep.cells import Sweep
from orket_lib.sweep.fidelity import find_next_tokens

_PRODUCTS = ("receipt.json", "kld.json")


class FidelityTargets:
    """Paths (with forward slashes) and records of the measurement of probabilities."""

    def __init__(self, sweep: Sweep) -> None:
        self._settings = find_next_tokens(sweep.config)
        self._folder = f"{sweep.results}/fidelity"
        slugs = dict.fromkeys(cell.model_slug for cell in sweep.cells)
        self._models = tuple(slugs) if self._settings else ()

    def all_files(self) -> list[str]:
        """Return every product."""
        return [path for name in _PRODUCTS for path in self.files(name)]

    def files(self, name: str) -> list[str]:
        """Return the paths of a file that each model has."""
        return [f"{self._folder}/{model}/{name}" for model in self._models]

    def summary_option(self) -> str:
        """Return the option of `orket summary` for the comparisons; nothing without them."""
        return f"--fidelity {self._folder}" if self._models else ""

    def policies(self) -> dict[str, Callable[[], BaseModel]]:
        """Return the content of each policy file, by name."""
        settings = self._settings
        return {} if settings is None else {"next_tokens": lambda: settings}
