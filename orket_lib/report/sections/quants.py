"""The table of a model's quants, its scores by family, and what was observed while measuring."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from orket_lib.analysis.frontier import memory_mib
from orket_lib.analysis.rows.quality import pollutes
from orket_lib.artifacts.views.summary import ModelSession, SummaryRow
from orket_lib.report.formatting import (
    DASH,
    bits,
    figure,
    figures,
    flips,
    p_value,
    ratio,
    shown,
    size,
)
from orket_lib.report.sections.batches import adherence_cell
from orket_lib.report.sections.verdicts import failures_word, verdict_word
from orket_lib.report.views import FrontierView, role_text
from orket_lib.vocabulary.statuses import Lane

QUANT_COLUMNS = (
    *("Quant", "File", "Bits per weight", "Adherence", "vs baseline", "Verdict", "Decode t/s"),
    *("Prefill t/s", "TTFT ms", "Mean latency s", "Peak memory MiB", "Failed answers", "Valid"),
    "Role",
)

Cells = list[str]


def quant_cells(row: SummaryRow, session: ModelSession, view: FrontierView) -> Cells:
    """Return the cells of a quant, in the order of `QUANT_COLUMNS`."""
    return [
        row.quant_tag,
        shown(row.artifact.reading("bytes"), size),
        shown(row.reading("quant_rank"), bits),
        adherence_cell(row, session),
        _against_baseline(row, session),
        verdict_word(session, row.quant_tag) or DASH,
        *figures(row, "generation_tokens_per_second", "prompt_tokens_per_second"),
        *figures(row, "ttft_ms", "total_latency"),
        shown(memory_mib(row), figure),
        failures_word(row) or DASH,
        "yes" if row.valid else f"no: {'; '.join(row.invalid_because)}",
        role_text(view, row.quant_tag),
    ]


def family_rows(session: ModelSession) -> list[Cells]:
    """Return the scores by family: a family with its tasks, and a score for each quant."""
    families: dict[str, int] = defaultdict(int)
    for item in (item for row in session.per_quant for item in row.adherence_by_family):
        families[item.family] = max(families[item.family], item.tasks)
    return [
        [f"{name} ({tasks})", *(_family(row, name) for row in session.per_quant)]
        for name, tasks in sorted(families.items())
    ]


def observations(session: ModelSession, lane: Lane) -> Iterator[Cells]:
    """Yield what was observed: quant, reason, class, effect, evidence."""
    for row in session.per_quant:
        for item in (*row.run_quality_reasons, *row.notes):
            effect = "pollutes" if pollutes(item, lane) else "shown only"
            yield [row.quant_tag, item.reason, item.severity, effect, item.evidence]


def _against_baseline(row: SummaryRow, session: ModelSession) -> str:
    if row.quant_tag == session.baseline_quant:
        return "baseline"
    found = (item for item in session.comparisons if item.quant_tag == row.quant_tag)
    return next((f"{flips(item)}, {p_value(item.p_value)}" for item in found), DASH)


def _family(row: SummaryRow, name: str) -> str:
    scores = (item.adherence_score for item in row.adherence_by_family if item.family == name)
    return next(map(ratio, scores), DASH)
