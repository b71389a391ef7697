"""The report's section on variants: quants x ways to serve them, and what fits the same memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from orket_lib.analysis.frontier import memory_mib
from orket_lib.analysis.ranking.equal_memory import candidates, equal_memory, pareto_tags
from orket_lib.artifacts.measurements.offload import OffloadLoad
from orket_lib.artifacts.views.summary import ModelSession, SummaryRow
from orket_lib.report.formatting import DASH, figure, figures, ratio, shown
from orket_lib.report.sections.verdicts import verdict_word
from orket_lib.vocabulary.quants import split_label

Cells = tuple[str, ...]
PLAIN = "plain"
OUTCOMES = {
    "loaded": "loaded",
    "over_limit": "more GPU memory than is wanted",
    "gpu_full": "GPU memory full",
    "memory_full": "main memory full",
}


@dataclass(frozen=True)
class VariantSection:
    """The matrix of one model.

    Attributes:
        columns: Its header: the quant, and each way to serve it.
        matrix: A line for each quant: in each cell verdict, adherence, memory and decode rate.
        caches: Quant, types of the KV cache, its size by the server's log and by the file, in MiB.
        sentences: The Pareto set, what fits the same memory, and layers on the GPU that were found.
        loads: Quant, layers, decode rate, GPU and main memory in MiB, and what became of the load.
    """

    columns: Cells
    matrix: Sequence[Cells]
    caches: Sequence[Cells]
    sentences: Sequence[str]
    loads: Sequence[Cells] = ()


def variant_section(session: ModelSession, settings: Mapping[str, Any]) -> VariantSection | None:
    """Return the matrix; None without variants, and without layers that were searched.

    Args:
        session: The model's rows and verdicts.
        settings: The model's config.
    """
    variants = dict.fromkeys(row.variant for row in session.per_quant if row.variant)
    searches = [(row.quant_tag, row.offload) for row in session.per_quant if row.offload]
    if not variants and not searches:
        return None
    ways = (None, *variants)
    quants: dict[str, dict[str | None, SummaryRow]] = {}
    for row in session.per_quant:
        name = split_label(row.quant_tag)[0] if row.variant else row.quant_tag
        quants.setdefault(name, {})[row.variant] = row
    return VariantSection(
        columns=("Quant", PLAIN, *variants),
        matrix=[
            (name, *(_cell(rows.get(way), session) for way in ways))
            for name, rows in quants.items()
        ],
        caches=[cells for row in session.per_quant if (cells := _cache(row))],
        sentences=[
            *(_sentences(session, settings) if variants else ()),
            *(f"{quant}: {found.sentence}." for quant, found in searches),
            *(f"{quant}: {why}." for quant, found in searches for why in found.bounded_by),
        ],
        loads=[(quant, *_load(load)) for quant, found in searches for load in found.loads],
    )


def _sentences(session: ModelSession, settings: Mapping[str, Any]) -> list[str]:
    caches = [it.artifact.kv_cache for it in session.per_quant if it.artifact.kv_cache]
    wanted = (settings.get("wants") or {}).get("context")
    contexts = {caches[0].cells} if caches else set()
    contexts |= {int(wanted)} if wanted else set()
    lines = []
    for context in sorted(contexts):
        cells = candidates(session, context)
        if cells:
            best = ", ".join(pareto_tags(cells))
            lines.append(f"Nothing beats these in verdict, bits and memory at {context}: {best}.")
        lines += equal_memory(session, context)
    return lines


def _cell(row: SummaryRow | None, session: ModelSession) -> str:
    if row is None:
        return DASH
    word = "baseline" if row.quant_tag == session.baseline_quant else None
    (rate,) = figures(row, "generation_tokens_per_second")
    return "; ".join(
        (
            word or verdict_word(session, row.quant_tag) or "no verdict",
            shown(row.reading("adherence_score"), ratio),
            f"{shown(memory_mib(row), figure)} MiB",
            f"{rate} t/s",
        )
    )


def _load(load: OffloadLoad) -> Cells:
    figures = (load.reading("decode_tps"), load.reading("vram_mib"), load.reading("rss_mib"))
    became = OUTCOMES[load.outcome] if load.held or not load.loaded else f"log: {load.applied}"
    return str(load.layers), *(shown(it, figure) for it in figures), became


def _cache(row: SummaryRow) -> Cells | None:
    cache = row.artifact.kv_cache
    if cache is None:
        return None
    computed = DASH if cache.computed_mib is None else f"{cache.computed_mib:.2f}"
    types = f"{cache.type_k} and {cache.type_v}"
    return row.quant_tag, types, str(cache.cells), f"{cache.mib:.2f}", computed
