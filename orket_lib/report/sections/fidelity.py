"""The report's section on fidelity: how much each quant changes the baseline's answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from orket_lib.artifacts.views.fidelity import Agreement, Fidelity
from orket_lib.artifacts.views.kld import Divergence, QuantDivergence
from orket_lib.artifacts.views.summary import ModelSession
from orket_lib.report.formatting import DASH, figure, ratio

Cells = tuple[str, ...]


@dataclass(frozen=True)
class FidelitySection:
    """The tables of one model.

    Attributes:
        model_id: The model.
        baseline: Its baseline.
        quants: Quant, same answers, their share, share before the first difference. The baseline
            comes first, compared with itself.
        columns: Names of the quants, in that order.
        families: Family, and the same answers of each quant.
        divergences: Quant, what was compared, places, metric, mean, 99 % of places, same top; empty
            without `fidelity: kld`.
    """

    model_id: str
    baseline: str
    quants: Sequence[Cells]
    columns: Sequence[str]
    families: Sequence[Cells]
    divergences: Sequence[Cells]


def fidelity_section(session: ModelSession) -> FidelitySection | None:
    """Return the section of a model; None if no quant was compared with the baseline."""
    found = sorted(session.fidelity, key=lambda item: item.quant_tag != item.baseline_quant)
    if session.baseline_quant is None or len(found) < 2:
        return None
    names = [
        f"{item.quant_tag}, second run" if item.quant_tag == item.baseline_quant else item.quant_tag
        for item in found
    ]
    families = dict.fromkeys(part.family for item in found for part in item.by_family)
    return FidelitySection(
        session.model_id,
        session.baseline_quant,
        [(name, *agreement_cells(item.agreement)) for name, item in zip(names, found, strict=True)],
        names,
        [(name, *(_of_family(item, name) for item in found)) for name in sorted(families)],
        [cells for item in found if item.kld for cells in divergence_cells(item.kld, _again(item))],
    )


def agreement_cells(found: Agreement) -> Cells:
    """Return the number of same answers, their share, and the share before the first difference."""
    if found.same_answer_rate is None:
        return (DASH, DASH, found.null_reasons["same_answer_rate"])
    return (
        _counts(found),
        _with_interval(found.same_answer_rate, found.same_answer_low, found.same_answer_high),
        _with_interval(found.same_start_share, found.same_start_low, found.same_start_high),
    )


def _again(item: Fidelity) -> str:
    itself = item.quant_tag == item.baseline_quant
    return f"{item.quant_tag}, measured again" if itself else item.quant_tag


def divergence_cells(kld: QuantDivergence, name: str) -> Sequence[Cells]:
    """Return the cells of a divergence over the text, and over the answers.

    Each has name, source, places, metric, mean, 99 % of places, and same top.
    """
    return [
        (name, source, *_divergence(part))
        for source, part in (("text", kld.text), ("answers", kld.answers))
    ]


def _divergence(found: Divergence) -> Cells:
    if found.mean is None:
        return (DASH, DASH, found.null_reasons["mean"], DASH, DASH)
    interval = found.mean_interval
    low_high = f" ({interval[0]:.2g} to {interval[1]:.2g})" if interval else ""
    top = found.same_top_interval
    return (
        str(found.positions),
        found.metric,
        f"{found.mean:.2g}{low_high}",
        DASH if found.p99 is None else figure(found.p99),
        _with_interval(found.same_top, *top) if top else ratio(found.same_top or 0.0),
    )


def _of_family(item: Fidelity, family: str) -> str:
    return next((_counts(part) for part in item.by_family if part.family == family), DASH)


def _counts(found: Agreement) -> str:
    return f"{found.same_answers} of {found.tasks}"


def _with_interval(value: float | None, low: float | None, high: float | None) -> str:
    if value is None or low is None or high is None:
        return DASH
    return f"{ratio(value)} ({ratio(low)} to {ratio(high)})"
