"""The report's section on the contexts of several quants."""

from __future__ import annotations

from dataclasses import dataclass

from orket_lib.artifacts.views.context_ceiling import ContextQuants, PairedDrop, QuantContexts
from orket_lib.report.formatting import DASH, ratio

_LENGTHS = {"more": "more at the long one", "less": "less at the long one"}


@dataclass(frozen=True)
class QuantsSection:
    """The contexts of a model's quants.

    Attributes:
        name: The model.
        conclusions: Sentences.
        ceilings: Cells of one line per quant: ceiling, comparison, why.
        families: Cells of one line per quant, context and family.
        lengths: Cells of one line per quant and family: what is lost at two contexts.
    """

    name: str
    conclusions: tuple[str, ...]
    ceilings: tuple[tuple[str, ...], ...]
    families: tuple[tuple[str, ...], ...]
    lengths: tuple[tuple[str, ...], ...]


def quants_section(found: ContextQuants) -> QuantsSection:
    """Return the section of one model."""
    return QuantsSection(
        name=found.model_id,
        conclusions=found.conclusions,
        ceilings=tuple(map(_ceiling, found.quants)),
        families=tuple(
            (
                *(quant.quant_tag, it.family, str(it.context), f"{it.right:g} of {it.asked}"),
                f"{ratio(it.right / it.asked)} ({ratio(it.low)} to {ratio(it.high)})",
                _drop(it.paired),
            )
            for quant in found.quants
            for it in quant.families
        ),
        lengths=tuple(
            (
                *(quant.quant_tag, it.family, str(it.short), _drop(it.at_short)),
                *(str(it.long), _drop(it.at_long)),
                _interval(it.more, it.low, it.high),
                _LENGTHS.get(it.verdict, it.verdict),
            )
            for quant in found.quants
            for it in quant.lengths
        ),
    )


def _ceiling(quant: QuantContexts) -> tuple[str, ...]:
    ceiling, compared = quant.safe_context_ceiling, quant.ceiling
    return (
        quant.quant_tag,
        quant.null_reasons["safe_context_ceiling"] if ceiling is None else str(ceiling),
        compared.verdict if compared else "baseline",
        compared.because if compared else DASH,
    )


def _drop(paired: PairedDrop | None) -> str:
    return _interval(paired.drop, paired.low, paired.high) if paired else DASH


def _interval(value: float, low: float, high: float) -> str:
    return f"{value:.0%} ({low:.0%} to {high:.0%})"
