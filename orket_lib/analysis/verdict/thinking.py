"""What reasoning costs, in words: tokens per answer and per right answer, and what is cut."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from orket_lib.artifacts.views.row import RowMetrics
from orket_lib.vocabulary.nulls import Null


def thinks(row: RowMetrics) -> bool:
    """Tell whether some answer of a row began with reasoning."""
    return row.thinking_cut_share is not None


def thinking_costs(rows: Sequence[RowMetrics], named: Collection[str | None]) -> list[str]:
    """Return a sentence for each row that reasons.

    Args:
        rows: Of a model.
        named: The quants to speak of; the table of the report has all.
    """
    return [_cost(row) for row in rows if row.quant_tag in named and thinks(row)]


def _cost(row: RowMetrics) -> str:
    own = row.reading("thinking_tokens_per_answer")
    tokens = "tokens that are not counted" if isinstance(own, Null) else f"{own:.0f} tokens"
    right = row.reading("output_tokens_per_right_answer")
    each = (
        "no answer is right"
        if isinstance(right, Null)
        else f"{right:.0f} per right answer, with the answer"
    )
    cut = row.thinking_cut_share or 0.0
    ended = f"; max_output_tokens cut {cut:.1%} of its answers in their thinking" if cut else ""
    return f"{row.quant_tag} thinks {tokens} per answer ({each}){ended}."
