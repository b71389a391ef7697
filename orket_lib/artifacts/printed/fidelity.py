"""The answers of two sweeps or cells, compared."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from orket_lib.artifacts.base import Record
from orket_lib.artifacts.views.fidelity import Agreement, Fidelity


class ComparedCell(Record):
    """One cell of B, compared with the cell of A that it belongs to."""

    model_id: str = Field(description="in B")
    fidelity: Fidelity = Field(description="of the quant in B; its baseline is the quant in A")
    noise_floor: Agreement = Field(description="second run against first, in A")
    differences: tuple[str, ...] = Field(
        description="in what is served and how, each as `name: in A -> in B`"
    )


class FidelityComparison(Record):
    """`orket fidelity A B --json`."""

    schema_version: Literal["orket.fidelity_comparison.v1"] = "orket.fidelity_comparison.v1"
    a: str
    b: str
    cells: tuple[ComparedCell, ...]
    only_a: tuple[str, ...] = Field(description="cells that B doesn't have")
    only_b: tuple[str, ...]
