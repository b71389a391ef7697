"""One context of a context sweep: an ordinary measurement whose prompts fill its context."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from orket_lib.artifacts.base import Provenance
from orket_lib.artifacts.context_summary import ContextSettings
from orket_lib.artifacts.io import read_model
from orket_lib.artifacts.preflight import Needs
from orket_lib.artifacts.run_report import RunReport
from orket_lib.artifacts.servable import ServableCell
from orket_lib.artifacts.spec import MeasurementSpec, RunSpec
from orket_lib.measure.context_serving import require_room
from orket_lib.measure.harness import REPORT, CellMeasurement
from orket_lib.measure.progress import Progress
from orket_lib.providers.base import Source
from orket_lib.tasks.context_tasks import context_selection, context_tasks
from orket_lib.vocabulary.slugs import slug


@dataclass(frozen=True)
class ContextMeasurement:
    """The measurement of one context of a cell.

    Attributes:
        cell: What is served.
        settings: What the config asks of the context sweep.
        context: Tokens.
        root: Of the storage.
    """

    cell: ServableCell
    settings: ContextSettings
    context: int
    root: Path

    @property
    def spec(self) -> RunSpec:
        """What the measurement depends on."""
        settings, base = self.settings, self.cell.spec
        tasks = context_tasks(settings.fill, self.context, base.controls.seed)
        fields = base.model_dump(include=set(MeasurementSpec.model_fields))
        return RunSpec(
            **fields
            | {"n_ctx": self.context, "tasks": context_selection(tasks), "context": settings.fill},
            runs_per_task=1,
            probe_runs=settings.probe_runs,
            on_server_death=settings.on_server_death,
            rerun_polluted=settings.rerun_polluted,
        )

    @property
    def path(self) -> Path:
        """Where the report lies."""
        spec = self.spec
        folder = self.root / "contexts" / slug(spec.model_id) / spec.quant_tag / spec.digest()
        return folder / REPORT

    def stored(self) -> RunReport | None:
        """Return the report, when this was measured before."""
        return read_model(self.path, RunReport) if self.path.is_file() else None

    def measure(
        self, source: Source, needs: Needs, progress: Progress, provenance: Provenance
    ) -> RunReport:
        """Measure what is missing, and return the report.

        Args:
            source: From where the model is served.
            needs: Of the sweep, which tells where that is.
            progress: Who watches.
            provenance: Of the caller.
        """
        spec = self.spec
        tasks = context_tasks(self.settings.fill, self.context, spec.controls.seed)
        room: Callable[[], None] = partial(require_room, spec, source, needs)
        measurement = CellMeasurement(spec, source, tasks, self.path.parent, progress, room)
        return measurement.run(provenance)
