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
from orket_lib.vocabulary.providers import PROVIDERS, ProviderTraits
from orket_lib.vocabulary.quants import nominal_bits
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
    def largest_quant(self) -> str:
        """The quant with the most bits, by its tag: the baseline, unless it can't be measured."""
        return max(self.quants, key=lambda quant: self.bits(quant) or 0.0)

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
        """Whether there is a context sweep."""
        listed = self.context_sweep_profile or self.context_sweep_contexts
        return bool(listed) or self.wanted_context is not None

    def bits(self, quant: str) -> float | None:
        """Return the bits per weight by which tags are ordered before their files are read."""
        return self.quant_bits.get(quant, nominal_bits(quant))
