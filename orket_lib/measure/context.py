"""One context length of a context sweep: a measurement whose prompts fill the context."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from orket_lib.artifacts.base import Provenance
from orket_lib.artifacts.measurements.request import ServableCell
from orket_lib.artifacts.measurements.spec import MeasurementSpec, RunSpec
from orket_lib.artifacts.views.context_summary import ContextSettings
from orket_lib.artifacts.views.preflight import Needs
from orket_lib.artifacts.views.receipt import CellReceipt
from orket_lib.artifacts.views.run_report import RunReport
from orket_lib.measure.cell import CellMeasurement, Gate
from orket_lib.measure.cell_receipt import Outcome, receipt_of
from orket_lib.measure.context_memory import require_room
from orket_lib.measure.journal.run_report import run_report
from orket_lib.measure.offload.search import kept_search, with_layers
from orket_lib.measure.progress import Progress
from orket_lib.measure.session.known_facts import SERVER_FACTS
from orket_lib.providers.base import Source
from orket_lib.stores.parts import CellStore, Wanted
from orket_lib.tasks.context_tasks import ContextQuestion, context_selection, context_tasks


@dataclass(frozen=True)
class ContextMeasurement:
    """The measurement of a cell at one context length.

    Attributes:
        cell: What is served.
        settings: Of the context sweep.
        context: Context length in tokens.
        root: Root of the storage.
    """

    cell: ServableCell
    settings: ContextSettings
    context: int
    root: Path

    @property
    def spec(self) -> RunSpec:
        """What is served and how, and what is asked.

        Layers on the GPU that the cell has searched are those of each context, so that the ceiling
        is that of the command which serves it.
        """
        settings, cell = self.settings, self.cell.spec
        base = with_layers(cell, kept_search(self.root, cell))
        fields = base.model_dump(include=set(MeasurementSpec.model_fields))
        tasks = context_selection(self._tasks(), settings.fill)
        return RunSpec(
            **fields | {"n_ctx": self.context, "tasks": tasks, "context": settings.fill},
            runs_per_task=1,
            probe_runs=settings.probe_runs,
            on_server_death=settings.on_server_death,
            rerun_polluted=settings.rerun_polluted,
        )

    @property
    def measured(self) -> bool:
        """Whether the store has all of it."""
        spec = self.spec
        return not CellStore(self.root / spec.folder).find(Wanted.of(spec)).missing

    def measure(
        self,
        find_source: Callable[[Callable[[str], None]], Source],
        needs: Needs,
        gate: Gate,
        again: bool,
        progress: Progress,
        provenance: Provenance,
    ) -> Outcome:
        """Measure what is missing, and return what the store has then.

        Args:
            find_source: Returns the model file or server.
            needs: Of the sweep, including where the model is served.
            gate: See `CellMeasurement`.
            again: Measure even if the store has it.
            progress: Receives the progress.
            provenance: Of the command.
        """
        spec = self.spec
        measurement = CellMeasurement(
            spec,
            find_source,
            self._tasks(),
            CellStore(self.root / spec.folder),
            progress,
            again="all" if again else None,
            gate=gate,
            before_load=lambda source: require_room(spec, source, needs),
            facts=self.root / SERVER_FACTS,
        )
        return measurement.run(provenance)

    def report(self, outcome: Outcome, provenance: Provenance) -> tuple[CellReceipt, RunReport]:
        """Return the receipt and the run report."""
        spec = self.spec
        receipt = receipt_of(spec, outcome, provenance)
        return receipt, run_report(receipt, spec, self._tasks(), None, provenance)

    def _tasks(self) -> tuple[ContextQuestion, ...]:
        return context_tasks(self.settings.fill, self.context, self.cell.spec.controls.seed)
