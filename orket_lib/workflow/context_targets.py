"""The files of a sweep's context sweep; none when the config asks for none."""

from __future__ import annotations

from orket_lib.artifacts.digest import canonical_json
from orket_lib.config.loading.messages import exactly
from orket_lib.sweep.cells import Sweep
from orket_lib.sweep.context import find_contexts

_FOUND = ("receipt.json", "context_ceiling.json", "context_ceiling.png", "context_kept.ok")


class ContextTargets:
    """Paths (with forward slashes) and options of the context sweep of one sweep."""

    def __init__(self, sweep: Sweep) -> None:
        self._settings = find_contexts(sweep.config)
        self._folder = f"{sweep.results}/context_sweep"
        slugs = dict.fromkeys(cell.model_slug for cell in sweep.cells)
        self._models = tuple(slugs) if self._settings else ()

    def all_files(self) -> list[str]:
        """Return every product."""
        return [
            path
            for model in self._models
            for path in (
                *self.summaries(model),
                *(f"{self._folder}/{model}/{name}" for name in _FOUND),
            )
        ]

    def policies(self) -> dict[str, str]:
        """Return what each policy file must hold, by its name."""
        if self._settings is None:
            return {}
        return {"context": canonical_json(self._settings.model_dump(mode="json"))}

    def summaries(self, model: str) -> list[str]:
        """Return the paths of a model's summaries, one for each context."""
        contexts = self._settings.contexts if self._settings else ()
        return [f"{self._folder}/{model}/context_{context}.json" for context in contexts]

    def pattern(self) -> list[str]:
        """Return the patterns of a model's summaries, with `{model}`; never none: a rule has some.

        Nothing asks for the one that stands there where the config asks for no contexts.
        """
        return self.summaries("{model}") or [f"{self._folder}/{{model}}/context_.json"]

    def receipts(self) -> list[str]:
        """Return the paths of the receipts of each model's contexts."""
        return [f"{self._folder}/{model}/receipt.json" for model in self._models]

    def ceilings(self) -> list[str]:
        """Return the paths of what was found of each model."""
        return [f"{self._folder}/{model}/context_ceiling.json" for model in self._models]

    def plots(self) -> list[str]:
        """Return the paths of their pictures."""
        return [path.replace(".json", ".png") for path in self.ceilings()]

    def ceiling_options(self) -> str:
        """Return the options that name contexts and thresholds to `orket context-ceiling`."""
        if self._settings is None:
            return ""
        limits = self._settings.thresholds
        listed = " ".join(map(str, self._settings.contexts))
        return (
            f"--contexts {listed} --adherence-min {exactly(limits.adherence_min)}"
            f" --ttft-ceiling-ms {exactly(limits.ttft_ceiling_ms)}"
            f" --decode-floor-tps {exactly(limits.decode_floor_tps)}"
            f"{' --include-invalid' if limits.include_invalid else ''}"
        )
