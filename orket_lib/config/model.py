"""The sweep config as a frozen model: every key with its type, range, default and meaning.

Keys are flat (`canary_runs: 10`); the same settings may be written as sections
(`canary: {runs: 10}`), see `loading.parse`. Rules about several keys are in `loading.cross_checks`,
and those that look at files and the machine in `orket_lib.sweep.references`.
"""

from __future__ import annotations

from orket_lib.config.sections.baselines import Baselines
from orket_lib.config.sections.batches import Batches
from orket_lib.config.sections.canary import Canary
from orket_lib.config.sections.context import ContextSweep
from orket_lib.config.sections.controls import Controls
from orket_lib.config.sections.fidelity import Fidelity
from orket_lib.config.sections.labels import Labels
from orket_lib.config.sections.matrix import Matrix
from orket_lib.config.sections.quantize import Quantize
from orket_lib.config.sections.rows import Rows
from orket_lib.config.sections.runner import Runner
from orket_lib.config.sections.serving import Serving
from orket_lib.config.sections.sidecar import HardwareSidecar
from orket_lib.config.sections.thermal import ThermalSeries
from orket_lib.config.sections.thresholds import Thresholds
from orket_lib.vocabulary.providers import OF_A_SERVER, PROVIDERS, ProviderTraits
from orket_lib.vocabulary.quants import nominal_bits, split_label
from orket_lib.vocabulary.statuses import WantName

# Keys that begin with one of these and `_` may also be written as a section.
SECTIONS = (
    "canary",
    "row",
    "context",
    "hardware_sidecar",
    "thermal",
    "kpi",
    "baseline",
    "quantize",
)


class SweepConfig(  # the order of the fields is that of the bases, from the last to the first
    ThermalSeries,
    ContextSweep,
    HardwareSidecar,
    Baselines,
    Rows,
    Canary,
    Fidelity,
    Thresholds,
    Labels,
    Controls,
    Quantize,
    Serving,
    Runner,
    Batches,
    Matrix,
):
    """One sweep: models x quants x tasks, how they are served, and how they are judged."""

    @property
    def traits(self) -> ProviderTraits:
        """The traits of the provider."""
        return PROVIDERS[self.provider]

    @property
    def starts_server(self) -> bool:
        """Whether the sweep starts the user's binary, rather than uses a running server."""
        return self.traits.starts_binary(self.base_url)

    @property
    def canary_task_ids(self) -> tuple[int | None, int | None]:
        """Lowest and highest task id of the canary; by default those of the matrix."""
        own = (self.canary_task_id_min, self.canary_task_id_max)
        return own if any(own) else (self.task_id_min, self.task_id_max)

    @property
    def pairs(self) -> tuple[tuple[str, str], ...]:
        """Model and quant of each cell."""
        return tuple((model, quant) for model in self.models for quant in self.quants_of(model))

    @property
    def views(self) -> tuple[tuple[str, SweepConfig], ...]:
        """How the models are served: a prefix of keys for messages, and the settings.

        One view for all models without settings of their own, and one for each with some.
        """
        own = [model for model in self.models if self.model_settings.get(model)]
        rest = tuple(model for model in self.models if model not in own)
        shared = self.model_copy(update={"models": rest, "model_settings": {}}) if own else self
        views = [("", shared)] if rest else []
        return (*views, *((f"models.{model}.", self.of(model)) for model in own))

    @property
    def served_views(self) -> tuple[tuple[str, SweepConfig], ...]:
        """The views, and the settings of each variant of them."""
        return tuple(
            found
            for prefix, view in self.views
            for found in (
                (prefix, view),
                *((f"{prefix}variants.{name}.", view.in_variant(name)) for name in self.variants),
            )
        )

    def in_variant(self, name: str | None) -> SweepConfig:
        """Return the settings with those of a variant in place of them.

        Raises:
            ValidationError: They are wrong.
        """
        if name is None:
            return self
        own = self.variants[name]
        alone = {"provider": self.provider, "models": self.models, "quants": self.quants} | own
        read = SweepConfig.model_validate(alone)
        return self.model_copy(update={key: getattr(read, key) for key in own})

    def variant_of(self, quant: str) -> str | None:
        """Return the variant that a quant's label names; None for a plain or another's file."""
        label = split_label(quant)[1]
        return label if label in self.variants else None

    def plain(self, quant: str) -> str:
        """Return a quant as its file or tag is named: without the label of a variant."""
        return split_label(quant)[0] if self.variant_of(quant) else quant

    def of(self, model: str) -> SweepConfig:
        """Return the settings of a model: its own ones in place of those of the sweep.

        Raises:
            ValidationError: They are wrong.
        """
        own = self.model_settings.get(model)
        if not own:
            return self
        alone = {"provider": self.provider, "quants": self.quants} | own | {"models": (model,)}
        read = SweepConfig.model_validate(alone)
        changed = {key: getattr(read, key) for key in own} | {"models": (model,)}
        if read.provider != self.provider:
            defaults = {key: type(self).model_fields[key] for key in OF_A_SERVER}
            changed = {key: it.get_default() for key, it in defaults.items()} | changed
        changed |= {"quants": self.quants_of(model), "model_settings": {}}
        return self.model_copy(update=changed)

    def quants_of(self, model: str) -> tuple[str, ...]:
        """Return the quants of a model, in the order of the sweep's."""
        own = self.model_settings.get(model, {}).get("quants")
        if own is None:
            return self.quants
        return tuple(it for it in self.quants if it in own or self.plain(it) in own)

    def largest_quant(self, model: str) -> str:
        """Return the plain quant with the most bits: the baseline, unless it can't be measured."""
        quants = self.quants_of(model)
        plain = [quant for quant in quants if self.variant_of(quant) is None]
        return max(plain or quants, key=lambda quant: self.bits(quant) or 0.0)

    @property
    def asks_once(self) -> bool:
        """Whether each task has one run, and no KPI policy of the user's own asks for more."""
        shipped = type(self).model_fields["kpi_policy"].default
        return self.runs_per_quant * self.rounds == 1 and self.kpi_policy == shipped

    @property
    def wanted_context(self) -> int | None:
        """The context that the recommended quant has to bear; it is part of the context sweep."""
        wanted = self.wants.get(WantName.CONTEXT)
        return None if wanted is None else int(wanted)

    @property
    def sweeps_contexts(self) -> bool:
        """Whether there is a context sweep; a quick sweep has none, whatever context is wanted."""
        listed = self.context_sweep_profile or self.context_sweep_contexts
        return not self.quick and (bool(listed) or self.wanted_context is not None)

    def bits(self, quant: str) -> float | None:
        """Return the bits per weight by which tags are ordered before their files are read."""
        own = self.quant_bits.get(quant)
        return own or self.quant_bits.get(split_label(quant)[0], nominal_bits(quant))
