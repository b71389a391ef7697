"""The files of a sweep: their paths, and the content of those that the workflow renders itself."""

from __future__ import annotations

from orket_lib.artifacts.canonical import canonical_json
from orket_lib.artifacts.row import RowSettings
from orket_lib.config.checkout import checkout_state
from orket_lib.config.context_targets import ContextTargets
from orket_lib.config.planning import make_plan, needs, place
from orket_lib.config.quantized_targets import QuantizedTargets
from orket_lib.config.resolve import Cell, Sweep
from orket_lib.config.servable_cells import servable_cells
from orket_lib.config.sidecar_targets import SidecarTargets
from orket_lib.config.thermal_targets import ThermalTargets
from orket_lib.config.turns import turn_by_turn

_POLICIES = ("matrix", "canary", "row", "needs", "place")
_VIEWS = (
    "sweep_kpis.json",
    "kpi_gate.json",
    "kpi_gate_passed.ok",
    "frontier_explorer.json",
    "frontier_kept.ok",
    "contracts_passed.ok",
    "sweep_report.md",
    "sweep_report.html",
    "sweep_scatter.json",
    "sweep_table.csv",
    "plots/frontier.png",
)


class Targets:
    """Paths (with forward slashes) and rendered contents of one sweep."""

    def __init__(self, sweep: Sweep) -> None:
        self._sweep = sweep
        self.sidecars = SidecarTargets(sweep)
        self.contexts = ContextTargets(sweep)
        self.thermal = ThermalTargets(sweep)
        self._by_digest = {cell.digest: cell for cell in sweep.cells}
        self._canaries = {canary.digest(): canary for canary in sweep.canaries}
        by_pair = {(cell.model_id, cell.quant_tag): cell for cell in sweep.cells}
        self._canary_cells = {
            digest: by_pair[canary.model_id, canary.quant_tag]
            for digest, canary in self._canaries.items()
        }
        self.quantized = QuantizedTargets(
            sweep.config, self._by_digest | self._canary_cells | self.sidecars.cells()
        )
        self._later = self.contexts.policies() | self.thermal.policies()
        if sweep.config.measures_chosen_quant:
            cells = servable_cells(sweep).model_dump(mode="json")
            self._later["cells"] = canonical_json(cells)
        self._by_place = {(cell.model_slug, cell.quant_tag): cell for cell in sweep.cells}

    def all_files(self) -> list[str]:
        """Return every product of the sweep, intermediates included."""
        return [
            *self.up_to(*_VIEWS, *self.regression_views(), *self.recorded_views()),
            *self.later_policies(),
            *self.contexts.all_files(),
            *self.thermal.all_files(),
        ]

    def context_files(self) -> list[str]:
        """Return everything on the way to the context ceilings."""
        return [*self._up_to_frontier(), *self.contexts.all_files()]

    def thermal_files(self) -> list[str]:
        """Return everything on the way to the thermal profiles."""
        return [*self._up_to_frontier(), *self.thermal.all_files()]

    def _up_to_frontier(self) -> list[str]:
        return [*self.up_to("frontier_explorer.json"), *self.later_policies()]

    def later_policies(self) -> list[str]:
        """Return the policies that only a measurement at the chosen quant reads."""
        return [f"{self._sweep.results}/policy/{name}.json" for name in self._later]

    def regression_views(self) -> list[str]:
        """Return the comparison with the baselines, where the config asks for one."""
        config = self._sweep.config
        asked = ["regression.json"] if config.compares_baselines else []
        return [*asked, "regression_passed.ok"] if config.baseline_gate else asked

    def recorded_views(self) -> list[str]:
        """Return the receipt of making the sweep a baseline, where the config asks for it."""
        return ["baselines_recorded.json"] if self._sweep.config.baseline_record else []

    def up_to(self, *views: str) -> list[str]:
        """Return some views of the summary and every file on the way to them.

        A target that names only the view would not notice that a file on the way is missing.
        """
        folder = f"{self._sweep.results}/quant_sweep"
        specs = [f"{cell.folder}/spec.json" for cell in self._sweep.cells]
        return [
            f"{self._sweep.results}/plan.json",
            *(f"{self._sweep.results}/policy/{name}.json" for name in _POLICIES),
            "results/preflight/verdict.json",
            "results/preflight/passed.ok",
            *self.canary_measurement(),
            "results/canary/verdict.json",
            "results/canary/passed.ok",
            *specs,
            *self.all_run_reports(),
            *self.closing_canaries(),
            *self.sidecars.all_files(),
            *self.rows(),
            f"{folder}/sweep_summary.json",
            *(f"{folder}/{name}" for name in views),
        ]

    def rows(self) -> list[str]:
        """Return the paths of all rows."""
        return [
            f"{self._sweep.results}/quant_sweep/{cell.model_slug}/{cell.quant_tag}.json"
            for cell in self._sweep.cells
        ]

    def run_reports(self, model: str, quant: str) -> list[str]:
        """Return the paths of a cell's run reports, one for each round."""
        return self._by_place[model, quant].run_paths

    def priority(self, digest: str, number: str | int) -> int:
        """Return what lets a round of a cell be measured when its turn has come.

        Args:
            digest: Of the cell.
            number: Of the round, as it stands in its path.
        """
        turns = turn_by_turn(self._sweep.cells)
        return len(turns) - turns.index((digest, int(number)))

    def artifact(self, digest: str) -> str:
        """Return the model file, or tag, of the cell with this digest."""
        return str(self._cell(digest).named)

    def spec_json(self, digest: str) -> str:
        """Return the spec with this digest as canonical JSON."""
        return self._cell(digest).spec.canonical()

    def canary_measurement(self) -> list[str]:
        """Return the paths of the canary's measurements; nothing when the canary is off."""
        return [f"storage/canary/{digest}.json" for digest in self._canaries]

    def closing_canaries(self) -> list[str]:
        """Return the paths of the canary's measurements after the sweep; often nothing."""
        if not self._sweep.config.canary_closing:
            return []
        folder = f"storage/canary/closing/{self._sweep.config.sweep}"
        return [f"{folder}/{digest}.json" for digest in self._canaries]

    def drift_option(self) -> str:
        """Return the options that name both of the canary's measurements to the summary."""
        closing = self.closing_canaries()
        opening = self.canary_measurement() if closing else []
        named = [("--opening", path) for path in opening] + [("--closing", it) for it in closing]
        return " ".join(f"{option} {path}" for option, path in named)

    def all_run_reports(self) -> list[str]:
        """Return the paths of all run reports of all cells."""
        return [path for cell in self._sweep.cells for path in cell.run_paths]

    def canary_option(self) -> str:
        """Return the options that name the canary's measurements to the verdict."""
        return " ".join(f"--measurement {path}" for path in self.canary_measurement())

    def canary_artifact(self, digest: str) -> str:
        """Return the model file, or tag, of the canary with this digest."""
        return str(self._canary_cells[digest].named)

    def canary_spec_json(self, digest: str) -> str:
        """Return the canary's spec as canonical JSON.

        Raises:
            KeyError: The digest is not this sweep's.
        """
        if digest not in self._canaries:
            raise KeyError(f"no canary of this config has the digest {digest}")
        return self._canaries[digest].canonical()

    def policy_json(self, name: str) -> str:
        """Return the part of the config that some rule depends on, as canonical JSON."""
        config = self._sweep.config
        if name == "matrix":
            return canonical_json(config.model_dump(mode="json"))
        if name == "canary":
            return canonical_json(config.canary_policy.model_dump(mode="json"))
        if name == "row":
            settings = RowSettings(
                policy=config.row_policy,
                execution_lane=config.execution_lane,
                vram_profile=config.vram_profile,
                provenance_ref=config.provenance_ref,
                quant_bits=config.quant_bits,
            )
            return canonical_json(settings.model_dump(mode="json"))
        if name in self._later:
            return self._later[name]
        found = needs(self._sweep) if name == "needs" else place(config)
        return canonical_json(found.model_dump(mode="json"))

    def policies(self) -> dict[str, str]:
        """Return what each policy file must hold, by path."""
        folder, names = f"{self._sweep.results}/policy", (*_POLICIES, *self._later)
        return {f"{folder}/{name}.json": self.policy_json(name) for name in names}

    def plan_json(self) -> str:
        """Return the plan as canonical JSON."""
        return canonical_json(make_plan(self._sweep, *checkout_state()).model_dump(mode="json"))

    def _cell(self, digest: str) -> Cell:
        try:
            return self._by_digest[digest]
        except KeyError:
            raise KeyError(f"no cell of this config has the digest {digest}") from None
