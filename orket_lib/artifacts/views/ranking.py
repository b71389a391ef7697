"""All models of a sweep in one ranking, with what fits into a memory size."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from orket_lib.artifacts.base import Measured, Reading, Record


class MemoryKind(StrEnum):
    """What has to fit: with a GPU the memory of the GPU, else that of all server processes."""

    VRAM = "VRAM"
    SUM = "RAM"


class Behind(Record):
    """How far one cell is behind another, on the same tasks."""

    adherence: float = Field(description="difference of the two; above 0 the other one is better")
    low: float = Field(description="of its 95 % interval")
    high: float

    @property
    def proved(self) -> bool:
        """Tell whether the other one is better; else the tasks can't tell."""
        return self.low > 0


class RankedCell(Measured):
    """One model and quant in the ranking."""

    rank: int = Field(description="1 is best; neighbours that the tasks can't tell apart share it")
    model_id: str
    quant_tag: str
    adherence: float = Field(description="over the tasks that all ranked cells were asked")
    low: float = Field(description="of its 95 % interval")
    high: float
    behind_previous: Behind | None = Field(description="behind the cell above; null for the first")
    behind_best: Behind | None = Field(
        description="behind the first cell of the ranking; null for that one"
    )
    generation_tokens_per_second: Reading
    memory_mib: Reading = Field(description="VRAM + RSS of the server's processes")
    fits_mib: Reading = Field(description="what has to fit: VRAM if a GPU serves, else memory_mib")
    fits_by: MemoryKind | None = Field(description="which of the two; null if it is unknown")
    pareto: bool | None = Field(
        description="whether no other cell is as good in adherence, decode rate (not in lane ci) "
        "and memory, and better in one; null if one of them is null"
    )

    @property
    def name(self) -> str:
        """The cell in words."""
        return f"{self.model_id} {self.quant_tag}"


class UnrankedCell(Record):
    """A cell whose answers can't be ranked."""

    model_id: str
    quant_tag: str
    reason: str


class BestFit(Record):
    """The best cell that fits into a memory size; all null if none does."""

    gib: int
    model_id: str | None
    quant_tag: str | None
    by: MemoryKind | None = Field(description="the memory that was compared")
    needs_gib: float | None


class Ranking(Record):
    """All models and quants of a sweep, best first."""

    tasks: int = Field(description="that all ranked cells were asked; no family is left out")
    cells: tuple[RankedCell, ...]
    unranked: tuple[UnrankedCell, ...]
    best_that_fits: tuple[BestFit, ...] = Field(description="by memory size, smallest first")
    conclusions: tuple[str, ...] = Field(description="the ranking in words, a line each")
