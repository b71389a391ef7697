"""The files of a sweep's context sweep; none if the config has no context sweep."""

from __future__ import annotations

from collections.abc import Callable

from pydantic import BaseModel

from orket_lib.artifacts.views.context_summary import ContextSettings
from orket_lib.config.loading.messages import exactly
from orket_lib.sweep.cells import Sweep
from orket_lib.sweep.context import find_contexts

_VIEWS = ("receipt.json", "context_ceiling.json", "context_ceiling.png", "context_kept.ok")


class ContextTargets:
    """Paths (with forward slashes), records and command options of a context sweep."""

    def __init__(self, sweep: Sweep) -> None:
        self._settings = find_contexts(sweep.config)
        self._wanted = sweep.config.wanted_context
        self._folder = f"{sweep.results}/context_sweep"
        slugs = dict.fromkeys(cell.model_slug for cell in sweep.cells)
        self._models = tuple(slugs) if self._settings else ()

    def all_files(self) -> list[str]:
        """Return every product."""
        return [
            path
            for model in self._models
            for path in (
                *self._summaries(model),
                *(f"{self._folder}/{model}/{name}" for name in _VIEWS),
            )
        ]

    def files(self, name: str) -> list[str]:
        """Return the paths of a file that each model has."""
        return [f"{self._folder}/{model}/{name}" for model in self._models]

    def policies(self) -> dict[str, Callable[[], BaseModel]]:
        """Return the content of each policy file, by name."""
        settings = self._settings
        return {} if settings is None else {"context": lambda: settings}

    def summary_pattern(self) -> list[str]:
        """Return the paths of a model's summaries, one per context, with `{model}`.

        Without a context sweep there is a placeholder that no rule requests, because a rule needs
        an output.
        """
        return self._summaries("{model}") or [f"{self._folder}/{{model}}/context_.json"]

    def ceiling_options(self) -> str:
        """Return the options of `orket context-ceiling`; nothing without a context sweep."""
        return ceiling_options(self._settings, self._wanted) if self._settings else ""

    def _summaries(self, model: str) -> list[str]:
        contexts = self._settings.contexts if self._settings else ()
        return [f"{self._folder}/{model}/context_{context}.json" for context in contexts]


def ceiling_options(settings: ContextSettings, wanted: int | None) -> str:
    """Return the options of `orket context-ceiling` for contexts and limits.

    Args:
        settings: Of the context sweep.
        wanted: The context that is wanted, if any.
    """
    limits = settings.thresholds
    return (
        f"--contexts {' '.join(map(str, settings.contexts))}"
        f" --adherence-min {exactly(limits.adherence_min)}"
        f" --ttft-ceiling-ms {exactly(limits.ttft_ceiling_ms)}"
        f" --decode-floor-tps {exactly(limits.decode_floor_tps)}"
        f"{f' --wanted-context {wanted}' if wanted else ''}"
        f"{' --include-invalid' if limits.include_invalid else ''}"
    )
