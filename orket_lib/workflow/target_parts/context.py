"""The files of a sweep's context sweep; none if the config has no context sweep."""

from __future__ import annotations

from collections.abc import Callable, Collection
from itertools import takewhile

from pydantic import BaseModel

from orket_lib.artifacts.views.context_summary import ContextSettings
from orket_lib.config.loading.messages import exactly
from orket_lib.config.model import SweepConfig
from orket_lib.sweep.cells import Sweep
from orket_lib.sweep.context import find_contexts

_VIEWS = ("receipt.json", "context_ceiling.json", "context_ceiling.png", "context_kept.ok")


class ContextTargets:
    """Paths (with forward slashes), records and command options of a context sweep."""

    def __init__(self, sweep: Sweep) -> None:
        self._settings = find_contexts(sweep.config)
        self._wanted = sweep.config.wanted_context
        self._folder = f"{sweep.results}/context_sweep"
        slugs = {cell.model_slug: cell.model_id for cell in sweep.cells} if self._settings else {}
        self._models = tuple(slugs)
        chosen = self._settings.quants if self._settings else ()
        self._quants = {
            slug: largest_first(sweep.config, model, chosen) for slug, model in slugs.items()
        }

    def all_files(self) -> list[str]:
        """Return every product."""
        return [
            path
            for model in self._models
            for path in (
                *self._summaries(model),
                *(f"{self._folder}/{model}/{name}" for name in _VIEWS),
            )
        ] + [
            *self.compared(),
            *(path.removesuffix("json") + "png" for path in self.compared()),
            *self.quant_receipts(),
            *(path for model in self._models for path in self.quant_summaries(model)),
        ]

    def files(self, name: str) -> list[str]:
        """Return the paths of a file that each model has."""
        return [f"{self._folder}/{model}/{name}" for model in self._models]

    def compared(self) -> list[str]:
        """Return the comparison of the quants of each model, if several are measured."""
        found = [model for model in self._models if self._quants[model]]
        return [f"{self._folder}/{model}/context_quants.json" for model in found]

    def quant_folders(self, model: str) -> list[str]:
        """Return the folder of each quant that is measured by itself, the largest first."""
        return [f"{self._folder}/{model}/{quant}" for quant in self._quants.get(model, ())]

    def quant_receipts(self) -> list[str]:
        """Return the receipts in all of these folders."""
        return [path for model in self._models for path in self.receipts_before(model)]

    def receipts_before(self, model: str, quant: str | None = None) -> list[str]:
        """Return the receipts of a model's quants that are larger than one; of all without one."""
        quants = self._quants.get(model, ())
        before = takewhile(lambda it: it != quant, quants)
        return [f"{self._folder}/{model}/{it}/receipt.json" for it in before]

    def beside_option(self, model: str, quant: str | None = None) -> str:
        """Return the option that names these receipts; nothing if the pick alone is measured."""
        paths = " ".join(self.receipts_before(model, quant))
        return f"--beside {paths}" if self._quants.get(model) else ""

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

    def quant_pattern(self) -> list[str]:
        """Return the paths of the summaries of one quant of several, see `summary_pattern`."""
        return self._summaries("{model}/{quant}") or [
            f"{self._folder}/{{model}}/{{quant}}/context_.json"
        ]

    def quant_summaries(self, model: str) -> list[str]:
        """Return the paths of the summaries of all quants that are measured by themselves."""
        return [
            f"{folder}/context_{context}.json"
            for folder in self.quant_folders(model)
            for context in self._contexts
        ]

    def ceiling_options(self) -> str:
        """Return the options of `orket context-ceiling`; nothing without a context sweep."""
        return ceiling_options(self._settings, self._wanted) if self._settings else ""

    def _summaries(self, model: str) -> list[str]:
        return [f"{self._folder}/{model}/context_{context}.json" for context in self._contexts]

    @property
    def _contexts(self) -> tuple[int, ...]:
        return self._settings.contexts if self._settings else ()


def largest_first(config: SweepConfig, model: str, chosen: Collection[str]) -> tuple[str, ...]:
    """Return those of a model's quants that are chosen, its baseline first if it is one of them."""
    quants = [quant for quant in config.quants_of(model) if quant in chosen]
    baseline = config.largest_quant(model)
    return tuple(sorted(quants, key=lambda it: (it != baseline, -(config.bits(it) or 0.0))))


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
