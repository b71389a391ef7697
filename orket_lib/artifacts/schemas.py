"""What the project publishes: its artifacts, and a JSON Schema of each, generated and checked in.

`python -m orket_lib.artifacts.schemas` rewrites them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from orket_lib.artifacts.base import Record
from orket_lib.artifacts.baseline import BaselineHistory, BaselineReceipt
from orket_lib.artifacts.history import (
    History,
    HistoryComparison,
    HistoryList,
    HistoryOverTime,
)
from orket_lib.artifacts.io import write_json
from orket_lib.artifacts.measurements.canary import CanaryMeasurement, CanaryVerdict
from orket_lib.artifacts.measurements.parts import Part, PartIndex
from orket_lib.artifacts.measurements.quantized import Quantized
from orket_lib.artifacts.measurements.runner import RunnerTask
from orket_lib.artifacts.measurements.sidecar import SidecarMeasurement, SidecarReport
from orket_lib.artifacts.measurements.thermal_series import ThermalSeries
from orket_lib.artifacts.printed.doctor import DoctorReport
from orket_lib.artifacts.printed.status import SweepStatus
from orket_lib.artifacts.views.context_ceiling import ContextCeiling
from orket_lib.artifacts.views.context_summary import ContextSummary
from orket_lib.artifacts.views.contracts import ContractCheck
from orket_lib.artifacts.views.frontier import FrontierExplorer
from orket_lib.artifacts.views.kpis import KpiGate, KpiReport
from orket_lib.artifacts.views.plan import Plan
from orket_lib.artifacts.views.preflight import Preflight
from orket_lib.artifacts.views.receipt import CanaryReceipt, CellReceipt, Receipt
from orket_lib.artifacts.views.regression import Regression
from orket_lib.artifacts.views.row import Row
from orket_lib.artifacts.views.run_report import RunReport
from orket_lib.artifacts.views.scatter import Scatter
from orket_lib.artifacts.views.summary import Summary
from orket_lib.artifacts.views.thermal_profile import ThermalProfile

SCHEMAS = Path("docs/schemas")

# In the order in which a sweep makes them; then what is kept of them, and what a command prints.
PUBLISHED: tuple[type[Record], ...] = (
    Plan,
    Preflight,
    Quantized,
    CanaryMeasurement,
    CanaryReceipt,
    CanaryVerdict,
    Part,
    PartIndex,
    CellReceipt,
    RunReport,
    RunnerTask,
    SidecarMeasurement,
    Receipt,
    SidecarReport,
    Row,
    Summary,
    KpiReport,
    KpiGate,
    Regression,
    BaselineReceipt,
    Scatter,
    FrontierExplorer,
    ContextSummary,
    ContextCeiling,
    ThermalSeries,
    ThermalProfile,
    History,
    BaselineHistory,
    DoctorReport,
    SweepStatus,
    HistoryList,
    HistoryComparison,
    HistoryOverTime,
    ContractCheck,
)


def version_of(model: type[Record]) -> str:
    """Return the `schema_version` of a published model."""
    return str(model.model_fields["schema_version"].default)


def schema_of(model: type[Record]) -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of a published model.

    What has a default is not required, because older minor versions don't have it; the version is.
    """
    generated = model.model_json_schema()
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **generated,
        "title": version_of(model),
        "required": ["schema_version", *generated["required"]],
    }


def schema_file(model: type[Record]) -> Path:
    """Return where the schema of a published model lies, from the root of the checkout."""
    return SCHEMAS / f"{version_of(model)}.schema.json"


if __name__ == "__main__":
    for published in PUBLISHED:
        write_json(schema_file(published), schema_of(published))
