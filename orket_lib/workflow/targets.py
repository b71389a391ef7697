"""The files of a sweep: their paths, and the content of those that the workflow renders itself."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from orket_lib.artifacts.digest import canonical_json
from orket_lib.artifacts.views.row import RowSettings
from orket_lib.sweep.cells import Cell, Sweep
from orket_lib.sweep.git_state import checkout_state
from orket_lib.sweep.plan import make_plan, needs, place
from orket_lib.sweep.requests import asked_canaries, asked_cell, asked_tasks, servable_cells
from orket_lib.sweep.schedule import priorities
from orket_lib.workflow.context_targets import ContextTargets
from orket_lib.workflow.sidecar_targets import SidecarTargets
from orket_lib.workflow.thermal_targets import ThermalTargets

_POLICIES = ("matrix", "canary", "row", "needs", "place", "tasks")
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
        self._results = sweep.results
        self._cells = {(cell.model_slug, cell.quant_tag): cell for cell in sweep.cells}
        self._priorities = priorities(sweep.cells)
        self.sidecars = SidecarTargets(sweep)
        self.contexts = ContextTargets(sweep)
        self.thermal = ThermalTargets(sweep)
        self._later = self.contexts.policies() | self.thermal.policies()
        if sweep.config.measures_chosen_quant:
            cells = servable_cells(sweep).model_dump(mode="json")
            self._later["cells"] = canonical_json(cells)

    def all_files(self) -> list[str]:
        """Return every product of the sweep, intermediates included."""
        return [
            *self.up_to(*_VIEWS, *self.regression_views(), *self.recorded_views()),
            *self.later_policies(),
            *self.contexts.all_files(),
            *self.thermal.all_files(),
            f"{self._results}/measurements_passed.ok",
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
        return [f"{self._results}/policy/{name}.json" for name in self._later]

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
        folder = f"{self._results}/quant_sweep"
        return [
            f"{self._results}/plan.json",
            *(f"{self._results}/policy/{name}.json" for name in _POLICIES),
            f"{self._results}/preflight.json",
            f"{self._results}/preflight_passed.ok",
            *(f"{self._results}/canary/{name}" for name in self._canary_files()),
            *self.cell_files("spec.json"),
            *self.receipts(),
            *self._reports(),
            *self.sidecars.all_files(),
            *self.rows(),
            f"{folder}/sweep_summary.json",
            *(f"{folder}/{name}" for name in views),
        ]

    def _canary_files(self) -> list[str]:
        files = ["spec.json", "receipt.json", "verdict.json", "passed.ok"]
        return [*files, "closing_receipt.json"] if self._sweep.config.canary_closing else files

    def cell_files(self, name: str) -> list[str]:
        """Return the paths of a file that each cell has."""
        return [f"{self._results}/cells/{model}/{quant}/{name}" for model, quant in self._cells]

    def rows(self) -> list[str]:
        """Return the paths of all rows."""
        return [f"{self._results}/quant_sweep/{model}/{quant}.json" for model, quant in self._cells]

    def receipts(self) -> list[str]:
        """Return the paths of all receipts of all cells."""
        return [path for pair in self._cells for path in self.round_files(*pair, "receipt.json")]

    def run_reports(self, model: str, quant: str) -> list[str]:
        """Return the paths of a cell's run reports, one for each round."""
        return self.round_files(model, quant, "run.json")

    def _reports(self) -> list[str]:
        return [path for pair in self._cells for path in self.run_reports(*pair)]

    def round_files(self, model: str, quant: str, name: str) -> list[str]:
        """Return the paths of a file that each round has; the first is where it is without rounds.

        So more rounds never move it.
        """
        folder = f"{self._results}/cells/{model}/{quant}"
        numbers = range(2, self._cells[model, quant].rounds + 1)
        return [f"{folder}/{name}", *(f"{folder}/round-{number}/{name}" for number in numbers)]

    def priority(self, model: str, quant: str, part: str) -> int:
        """Return what lets a round of a cell be measured when its turn has come."""
        return self._priorities[model, quant, round_of(part)]

    def cell(self, model: str, quant: str) -> Cell:
        """Return a cell by the folders of its views."""
        return self._cells[model, quant]

    def spec_json(self, model: str, quant: str) -> str:
        """Return what measures a cell, as canonical JSON."""
        asked = asked_cell(self._sweep, self._cells[model, quant])
        return canonical_json(asked.model_dump(mode="json"))

    def canary_spec_json(self) -> str:
        """Return what measures the canaries, as canonical JSON."""
        return canonical_json(asked_canaries(self._sweep).model_dump(mode="json"))

    def closing_receipt(self) -> list[str]:
        """Return the receipt of the canaries after the sweep; often nothing."""
        if not self._sweep.config.canary_closing:
            return []
        return [f"{self._results}/canary/closing_receipt.json"]

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
        if name == "tasks":
            return canonical_json(asked_tasks(self._sweep).model_dump(mode="json"))
        found = needs(self._sweep) if name == "needs" else place(config)
        return canonical_json(found.model_dump(mode="json"))

    def rendered(self) -> dict[str, Callable[[], str]]:
        """Return what makes the content of each file that the workflow renders, by path."""
        names = (*_POLICIES, *self._later)
        files: dict[str, Callable[[], str]] = {
            f"{self._results}/policy/{name}.json": partial(self.policy_json, name) for name in names
        }
        files[f"{self._results}/canary/spec.json"] = self.canary_spec_json
        for pair in self._cells:
            path = f"{self._results}/cells/{'/'.join(pair)}/spec.json"
            files[path] = partial(self.spec_json, *pair)
        return files | self.sidecars.rendered()

    def plan_json(self, results: str | None = None) -> str:
        """Return the plan as canonical JSON.

        Args:
            results: Folder of the sweep's views, where it is not the sweep's own.
        """
        plan = make_plan(self._sweep, *checkout_state(), results)
        return canonical_json(plan.model_dump(mode="json"))


def round_of(part: str) -> int:
    """Return the number of the round that a part of a path names; nothing is the first."""
    return int(part.removeprefix("/round-") or 1)
