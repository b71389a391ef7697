"""The stability KPIs of a summary, and the gate that compares them with a policy."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from orket_lib.artifacts.base import Labelled
from orket_lib.artifacts.views.summary import StabilityKpis

Limit = Annotated[float | None, Field(ge=0, le=1)]


class KpiReport(Labelled):
    """`sweep_kpis.json`."""

    schema_version: Literal["orket.kpis.v1"] = "orket.kpis.v1"
    summary_path: str
    stability_kpis: StabilityKpis


class KpiPolicy(BaseModel):
    """Limits of the KPIs (`config/kpi_policy.json`); null switches one off."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    max_missing_telemetry_rate: Limit = 0.01
    max_polluted_run_rate: Limit = 0.1
    min_frontier_success_rate: Limit = 0.8
    min_determinism_rate: Limit = 1.0


class KpiGate(Labelled):
    """`kpi_gate.json`: a verdict, which the last rule of the workflow turns into a failure."""

    schema_version: Literal["orket.kpi_gate.v1"] = "orket.kpi_gate.v1"
    summary_path: str
    policy: KpiPolicy
    stability_kpis: StabilityKpis
    verdict: Literal["PASS", "FAIL"]
    failures: tuple[str, ...]
