"""The sweep config as a frozen model: every key with its type, range, default and meaning.

Keys are flat (`canary_runs: 10`); the same settings may be written as sections
(`canary: {runs: 10}`), see `loading`. What is true of several keys together stands in
`consistency`, what needs a look at files and machine in `surroundings`.
"""

from __future__ import annotations

from orket_lib.config.sections.extras import ContextSweep, HardwareSidecar, ThermalSeries
from orket_lib.config.sections.matrix import Matrix
from orket_lib.config.sections.policies import Baselines, Canary, Labels, Rows, Thresholds
from orket_lib.config.sections.quantize import Quantize
from orket_lib.config.sections.serving import Controls, Serving
from orket_lib.vocabulary.providers import PROVIDERS, ProviderTraits
from orket_lib.vocabulary.quants import nominal_bits

# A section's keys may be written flat, with its name and `_` before them.
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


class SweepConfig(  # fields come in the order of the bases, read from the last one
    ThermalSeries,
    ContextSweep,
    HardwareSidecar,
    Baselines,
    Rows,
    Canary,
    Thresholds,
    Labels,
    Controls,
    Quantize,
    Serving,
    Matrix,
):
    """One sweep: models x quants x tasks, and what to make of them."""

    @property
    def traits(self) -> ProviderTraits:
        """The traits of the provider."""
        return PROVIDERS[self.provider]

    @property
    def starts_server(self) -> bool:
        """Whether the user's own binary is started, rather than a running server used."""
        return self.traits.starts_binary(self.base_url)

    @property
    def canary_task_ids(self) -> tuple[int | None, int | None]:
        """The lowest and the highest task id of the canary: those of the matrix without its own."""
        own = (self.canary_task_id_min, self.canary_task_id_max)
        return own if any(own) else (self.task_id_min, self.task_id_max)

    @property
    def sweeps_contexts(self) -> bool:
        """Whether it is found out how long a context the chosen quant bears."""
        return bool(self.context_sweep_profile or self.context_sweep_contexts)

    @property
    def measures_chosen_quant(self) -> bool:
        """Whether something is measured at the quant that the frontier picks."""
        return self.sweeps_contexts or self.thermal_repeats > 0

    def bits(self, quant: str) -> float | None:
        """Return the bits per weight that order a tag before its file is read."""
        return self.quant_bits.get(quant, nominal_bits(quant))
