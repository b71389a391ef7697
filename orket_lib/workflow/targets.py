"""The files of a sweep: their paths, and the content of those that the workflow renders."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from pydantic import BaseModel

from orket_lib.artifacts.digest import canonical_json
from orket_lib.artifacts.measurements.request import AskedReceipts
from orket_lib.artifacts.row_settings import RowSettings
from orket_lib.config.sections.fields import from_fields
from orket_lib.sweep.cells import Sweep
from orket_lib.sweep.git_state import checkout_state
from orket_lib.sweep.plan import make_plan, needs, place
from orket_lib.sweep.requests import asked_canaries, asked_cell, asked_tasks, servable_cells
from orket_lib.sweep.schedule import priorities
from orket_lib.workflow.target_parts.batches import BatchTargets
from orket_lib.workflow.target_parts.context import ContextTargets
from orket_lib.workflow.target_parts.fidelity import FidelityTargets
from orket_lib.workflow.target_parts.sidecar import SidecarTargets
from orket_lib.workflow.target_parts.thermal import ThermalTargets

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
    "sweep_wants.json",
    "plots/frontier.png",
    "plots/fidelity.png",
)


class Targets:
    """Paths (with forward slashes) and rendered content of one sweep."""

    def __init__(self, sweep: Sweep) -> None:
        config = sweep.config
        self._sweep = sweep
        self._results = sweep.results
        self._cells = {(cell.model_slug, cell.quant_tag): cell for cell in sweep.cells}
        self._priorities = priorities(sweep.cells)
        self.sidecars = SidecarTargets(sweep)
        self.contexts = ContextTargets(sweep)
        self.thermal = ThermalTargets(sweep)
        self.fidelity = FidelityTargets(sweep)
        self.batches = BatchTargets(sweep)
        self._policies: dict[str, Callable[[], BaseModel]] = {
            "matrix": lambda: config,
            "canary": lambda: config.canary_policy,
            "row": lambda: from_fields(
                RowSettings,
                config,
                policy=config.row_policy,
                with_sidecar=bool(self.sidecars.all_files()),
            ),
            "needs": partial(needs, sweep),
            "place": partial(place, config),
            "tasks": partial(asked_tasks, sweep),
            "receipts": self._asked_receipts,
            **self.batches.policies(),
        }
        # Only measurements at the chosen quant read these.
        self._later = self.contexts.policies() | self.thermal.policies()
        if fidelity := self.fidelity.policies():
            self._policies |= fidelity
        if self._later or fidelity:
            self._policies["cells"] = partial(servable_cells, sweep)
        # Rendered files are read by jobs; records are built only when a file is compared or made.
        self._records: dict[str, Callable[[], BaseModel]] = {
            **{self._policy(name): it for name, it in (self._policies | self._later).items()},
            f"{self._results}/canary/spec.json": partial(asked_canaries, sweep),
            **{
                f"{self._results}/cells/{'/'.join(pair)}/spec.json": partial(
                    asked_cell, sweep, cell
                )
                for pair, cell in self._cells.items()
            },
            **self.sidecars.records(),
        }

    def all_files(self) -> list[str]:
        """Return every product of the sweep, intermediates included."""
        return [
            *self.up_to(*_VIEWS, *self.regression_views(), *self.recorded_views()),
            *map(self._policy, self._later),
            *self.contexts.all_files(),
            *self.thermal.all_files(),
            f"{self._results}/measurements_passed.ok",
        ]

    def contexts_before(self, model: str) -> list[str]:
        """Return the receipts of the context sweeps, if a budget needs to know their time."""
        folder = f"{self._results}/context_sweep/{model}/receipt.json"
        asked = self._sweep.config.budget and self._sweep.config.sweeps_contexts
        return [*self.contexts.receipts_before(model), folder] if asked else []

    def context_files(self) -> list[str]:
        """Return the context ceilings and every file that they depend on."""
        return [*self._up_to_frontier(), *self.contexts.all_files()]

    def thermal_files(self) -> list[str]:
        """Return the thermal profiles and every file that they depend on."""
        return [*self._up_to_frontier(), *self.thermal.all_files()]

    def fidelity_files(self) -> list[str]:
        """Return the comparisons of probabilities and every file that they depend on."""
        return self._up_to_rows()

    def _up_to_frontier(self) -> list[str]:
        return [*self.up_to("frontier_explorer.json"), *map(self._policy, self._later)]

    def regression_views(self) -> list[str]:
        """Return the views of the comparison with baselines, if there is one."""
        config = self._sweep.config
        asked = ["regression.json"] if config.compares_baselines else []
        return [*asked, "regression_passed.ok"] if config.baseline_gate else asked

    def recorded_views(self) -> list[str]:
        """Return the receipt of recording baselines, if they are recorded."""
        return ["baselines_recorded.json"] if self._sweep.config.baseline_record else []

    def up_to(self, *views: str) -> list[str]:
        """Return some views of the summary and every file that they depend on.

        With the view alone as target, Snakemake would not notice a missing intermediate file.
        """
        folder = f"{self._results}/quant_sweep"
        return [
            *self._up_to_rows(),
            f"{folder}/sweep_summary.json",
            *(f"{folder}/{name}" for name in views),
        ]

    def _up_to_rows(self) -> list[str]:
        return [
            f"{self._results}/plan.json",
            *map(self._policy, self._policies),
            f"{self._results}/preflight.json",
            f"{self._results}/preflight_passed.ok",
            *(f"{self._results}/canary/{name}" for name in self._canary_files()),
            *self.cell_files("spec.json"),
            *self.receipts(),
            *self._reports(),
            *self.batches.all_files(),
            *self.sidecars.all_files(),
            *self.rows(),
            *self.fidelity.all_files(),
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

    def rows_of(self, model: str) -> list[str]:
        """Return the paths of a model's rows."""
        folder = f"{self._results}/quant_sweep/{model}/"
        return [path for path in self.rows() if path.startswith(folder)]

    def receipts(self) -> list[str]:
        """Return the paths of the receipts of all cells, with their rounds or batches."""
        return [path for pair in self._cells for path in self.part_files(*pair, "receipt.json")]

    def _asked_receipts(self) -> AskedReceipts:
        folder = f"{self._results}/cells/"
        return AskedReceipts(paths=tuple(path.removeprefix(folder) for path in self.receipts()))

    def run_reports(self, model: str, quant: str) -> list[str]:
        """Return the paths of a cell's run reports, one for each round or batch."""
        return self.part_files(model, quant, "run.json")

    def _reports(self) -> list[str]:
        return [path for pair in self._cells for path in self.run_reports(*pair)]

    def part_files(self, model: str, quant: str, name: str) -> list[str]:
        """Return the paths of a file that each round or batch of a cell has."""
        folder = f"{self._results}/cells/{model}/{quant}"
        return [f"{folder}{part}/{name}" for part in self._cells[model, quant].parts]

    def priority(self, model: str, quant: str, part: str) -> int:
        """Return the Snakemake priority of a round or batch, which orders the measurements."""
        return self._priorities[model, quant, part]

    def content(self, path: str) -> str:
        """Return the content of a rendered file, as canonical JSON."""
        return canonical_json(self._records[path]().model_dump(mode="json"))

    def spec_json(self, model: str, quant: str) -> str:
        """Return the request of a cell."""
        return self.content(f"{self._results}/cells/{model}/{quant}/spec.json")

    def canary_spec_json(self) -> str:
        """Return the request of the canaries."""
        return self.content(f"{self._results}/canary/spec.json")

    def policy_json(self, name: str) -> str:
        """Return the part of the config that some rules depend on."""
        return self.content(self._policy(name))

    def closing_receipt(self) -> list[str]:
        """Return the receipt of the closing canary, if there is one."""
        if not self._sweep.config.canary_closing:
            return []
        return [f"{self._results}/canary/closing_receipt.json"]

    def rendered(self) -> dict[str, Callable[[], str]]:
        """Return functions that make the content of each rendered file, by path."""
        return {path: partial(self.content, path) for path in self._records}

    def _policy(self, name: str) -> str:
        return f"{self._results}/policy/{name}.json"

    def plan_json(self, results: str | None = None) -> str:
        """Return the plan as canonical JSON.

        Args:
            results: Folder of the sweep's views, if not the default.
        """
        plan = make_plan(self._sweep, *checkout_state(), results)
        return canonical_json(plan.model_dump(mode="json"))


def round_of(part: str) -> int:
    """Return the round of a part of a path, such as `/round-2`; batches are of the first one."""
    kind, _, number = part.removeprefix("/").partition("-")
    return int(number) if kind == "round" else 1
