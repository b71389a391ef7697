"""The report's section on rounds: whether the speed drifted during the sweep."""

from __future__ import annotations

from dataclasses import dataclass

from orket_lib.artifacts.views.row import RowRound
from orket_lib.artifacts.views.summary import ModelSession
from orket_lib.report.formatting import figures

_READINGS = (
    "generation_tokens_per_second",
    "total_latency",
    "temperature_start_c",
    "temperature_max_c",
)


@dataclass(frozen=True)
class RoundsSection:
    """The rounds of one model, in the order of measuring.

    Attributes:
        model_id: Of the model.
        rows: Cells of the table, one row for each quant and round.
    """

    model_id: str
    rows: list[list[str]]


def rounds_section(session: ModelSession) -> RoundsSection | None:
    """Return the section of a model, or None if it was measured in one round."""
    found = [(item, row.quant_tag) for row in session.per_quant for item in row.rounds]
    ordered = sorted(found, key=lambda pair: pair[0].measured_at)
    return RoundsSection(session.model_id, [_cells(*pair) for pair in ordered]) if ordered else None


def _cells(item: RowRound, quant_tag: str) -> list[str]:
    readings = figures(item, *_READINGS)
    sensor = item.temperature_of.upper()
    return [f"{item.measured_at[:19]}Z", quant_tag, str(item.round), *readings, sensor]
