"""The looks between a sweep's batches of tasks; none if all tasks are asked at once."""

from __future__ import annotations

from collections.abc import Callable
from itertools import accumulate

from pydantic import BaseModel

from orket_lib.analysis.verdict.kept_or_lost import CERTAIN
from orket_lib.analysis.verdict.looks import EARLY
from orket_lib.artifacts.views.look import LookSettings
from orket_lib.config.sections.fields import from_fields
from orket_lib.sweep.cells import Sweep

_BATCH = "/batch-"


class BatchTargets:
    """Paths (with forward slashes) and records of batches."""

    def __init__(self, sweep: Sweep) -> None:
        self._sweep = sweep
        self._folder = sweep.results
        self._models = {cell.model_slug: cell.model_id for cell in sweep.cells}
        self._batches = len(sweep.cells[0].batches)

    def all_files(self) -> list[str]:
        """Return every look, and the time of the start if there is a budget."""
        looks = [self._look(model, batch) for model in self._models for batch in range(self._count)]
        return [*self.started(), *looks]

    def policies(self) -> dict[str, Callable[[], BaseModel]]:
        """Return the content of each policy file, by name."""
        return {"looks": self._settings} if self._batches else {}

    def started(self) -> list[str]:
        """Return the file with the time of the start, if there is a budget."""
        return [f"{self._folder}/started.json"] if self._sweep.config.budget else []

    def look_before(self, model: str, quant: str, part: str) -> list[str]:
        """Return the look that decides whether a batch is asked; nothing if it always is."""
        if not self._batches or (not part and quant == self._baseline(model)):
            return []
        return [self._look(model, batch_of(part) - 1)]

    def last_looks(self) -> list[str]:
        """Return the look after all batches of each model; nothing without batches."""
        return [self._look(model, self._batches) for model in self._models if self._batches]

    def budget_look(self, model: str) -> list[str]:
        """Return the look that knows what is left of a budget; nothing without a budget."""
        return [self._look(model, self._batches)] if self._sweep.config.budget else []

    def looks_option(self) -> str:
        """Return the options of `orket summary` for the last looks; nothing without batches."""
        return f"--looks {self._folder}/looks {self.count_option()}" if self._batches else ""

    def reports_before(self, model: str, batch: int) -> list[str]:
        """Return the run reports that a look reads."""
        asked = [cell for cell in self._sweep.cells if cell.model_slug == model]
        if not batch:  # only the baseline has been asked
            asked = [it for it in asked if it.quant_tag == self._baseline(model)]
        return [
            f"{self._folder}/cells/{model}/{cell.quant_tag}{part}/run.json"
            for cell in asked
            for part in cell.parts[: max(1, batch)]
        ]

    def baseline_option(self, model: str, quant: str) -> str:
        """Return the option that has a row warn of tasks that are too hard.

        Nothing for the other quants, without others, and in batches, where a look says it.
        """
        quants = self._sweep.config.quants_of(self._models[model])
        first_of_several = quant == self._baseline(model) and len(quants) > 1
        return "--baseline" if first_of_several and not self._batches else ""

    def batch_option(self, part: str) -> str:
        """Return the option that names the batch of a part of a path; nothing without batches."""
        return f"--batch {batch_of(part)}" if self._batches else ""

    def count_option(self) -> str:
        """Return the option with the number of batches; nothing without batches."""
        return f"--batches {self._batches}" if self._batches else ""

    @property
    def _count(self) -> int:
        """Looks per model: before the first batch of the others, and after each batch."""
        return self._batches + 1 if self._batches else 0

    def _look(self, model: str, batch: int) -> str:
        return f"{self._folder}/looks/{model}/{batch}.json"

    def _baseline(self, model: str) -> str:
        return self._sweep.config.largest_quant(self._models[model])

    def _settings(self) -> LookSettings:
        config, batches = self._sweep.config, self._sweep.cells[0].batches
        sizes = [len(batch.ids) for batch in batches]
        budget = config.budget_seconds
        return from_fields(
            LookSettings,
            config,
            models=self._models,
            quants={slug: config.quants_of(model) for slug, model in self._models.items()},
            baselines={slug: self._baseline(slug) for slug in self._models},
            ends=tuple(accumulate(sizes)),
            runs_per_task=config.runs_per_quant,
            certain_early=EARLY,
            certain_last=CERTAIN,
            budget_seconds=None if budget is None else budget / len(self._models),
        )


def batch_of(part: str) -> int:
    """Return the batch of a part of a path, such as `/batch-2`; the first has no part."""
    return int(part.removeprefix(_BATCH) or 1)
