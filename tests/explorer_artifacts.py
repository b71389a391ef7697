"""Explorer artifacts with one call each; `changes` name the fields that differ."""

from __future__ import annotations

from typing import Any

from contract_examples import example

from orket_lib.artifacts.views.context_ceiling import ContextCeiling
from orket_lib.artifacts.views.frontier import FrontierExplorer
from orket_lib.artifacts.views.thermal_profile import ThermalProfile
from orket_lib.stores.files import Entry

MACHINE = "linux|testing_cpu|4|16|none"


def _entry(kind: Any, changes: dict[str, Any]) -> Entry:
    values = {"hardware_fingerprint": MACHINE, "model_id": "nano", "quant_tag": "Q4_K_M"}
    return example(kind, whole=True) | values | changes


def frontier(**changes: Any) -> Entry:
    return _entry(FrontierExplorer, changes)


def frontier_of_text(**changes: Any) -> Entry:
    """Return a frontier that names nothing but what is in it, which is called `text`."""
    return frontier(**{"model_id": "text", "quant_tag": "text"} | changes)


def context_ceiling(**changes: Any) -> Entry:
    return _entry(ContextCeiling, changes)


def thermal_profile(**changes: Any) -> Entry:
    return _entry(ThermalProfile, changes)
