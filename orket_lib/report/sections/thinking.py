"""The report's section on reasoning: what it costs, and how often it is cut."""

from __future__ import annotations

from orket_lib.analysis.verdict.thinking import thinks
from orket_lib.artifacts.views.summary import ModelSession
from orket_lib.report.formatting import figures, ratio, shown

COLUMNS = (
    *("Quant", "Thinking tokens per answer", "Tokens per answer", "Tokens per right answer"),
    "Cut in thinking",
)


def thinking_rows(session: ModelSession) -> list[tuple[str, ...]]:
    """Return the cells of each quant; none if no answer of the model began with reasoning."""
    if not any(map(thinks, session.per_quant)):
        return []
    return [
        (
            row.quant_tag,
            *figures(
                row,
                "thinking_tokens_per_answer",
                "output_tokens_per_answer",
                "output_tokens_per_right_answer",
            ),
            shown(row.reading("thinking_cut_share"), ratio),
        )
        for row in session.per_quant
    ]
