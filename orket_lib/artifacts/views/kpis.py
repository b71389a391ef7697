"""The KPI report: the stability figures of a summary, on their own."""

from __future__ import annotations

from typing import Literal

from orket_lib.artifacts.base import Labelled
from orket_lib.artifacts.views.summary import StabilityKpis


class KpiReport(Labelled):
    """`sweep_kpis.json`."""

    schema_version: Literal["orket.kpis.v1"] = "orket.kpis.v1"
    summary_path: str
    stability_kpis: StabilityKpis
