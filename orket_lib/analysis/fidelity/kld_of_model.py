"""From the measured probabilities of a model's quants to their divergence from the baseline."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from orket_lib.analysis.fidelity.kld import absent, compare
from orket_lib.artifacts.measurements.next_tokens import NextTokens
from orket_lib.artifacts.views.kld import AskedQuant, FidelityReceipt, Kld, QuantDivergence
from orket_lib.vocabulary.nulls import Null
from orket_lib.vocabulary.reasons import spoils_quality
from orket_lib.vocabulary.statuses import RunStatus

_NOT_MEASURED = Null("NOT_MEASURED")
_NOT_AS_PLANNED = Null("NOT_SERVED_AS_PLANNED")


def kld_of(
    receipt: FidelityReceipt, measured: Iterable[NextTokens], stamp: Mapping[str, Any]
) -> Kld:
    """Return the divergences of all quants of a model.

    Args:
        receipt: Of the measurement.
        measured: The parts that it lists.
        stamp: Time and provenance.
    """
    found = {(it.quant_tag, it.spec.repeat): it for it in measured}
    tag = receipt.baseline_quant
    baseline, again = (found.get((tag or "", repeat)) for repeat in (0, 1))
    return Kld(
        **stamp,
        model_id=receipt.model_id,
        baseline_quant=tag,
        reason=receipt.reason,
        text=receipt.text,
        text_sha256=receipt.text_sha256,
        noise_floor=quant_divergence(baseline, again, _asked(tag, again)) if tag else None,
        quants=tuple(
            quant_divergence(baseline, found.get((asked.quant_tag, 0)), asked)
            for asked in receipt.quants
            if asked.quant_tag != tag
        ),
    )


def quant_divergence(
    baseline: NextTokens | None, quant: NextTokens | None, asked: AskedQuant
) -> QuantDivergence:
    """Return one quant's divergence from the baseline.

    Args:
        baseline: Its measurement; None if it has none.
        quant: The quant's.
        asked: What became of the quant.
    """
    why = None
    if asked.status is not RunStatus.MEASURED:
        why = Null(f"STATUS_{asked.status.upper()}")
    elif baseline is None or quant is None or baseline.status is not RunStatus.MEASURED:
        why = _NOT_MEASURED
    pair = [it for it in (baseline, quant) if it is not None]
    seen = tuple(
        f"{it.quant_tag}: {item.reason.value}: {item.evidence}"
        for it in pair
        for item in it.observations
        if spoils_quality(item.reason)
    )
    if why is None and seen:
        why = _NOT_AS_PLANNED
    return QuantDivergence(
        **asked.model_dump(),
        observations=seen,
        **{
            source: absent(why)
            if why
            else compare(*([block for block in it.blocks if block.source == source] for it in pair))
            for source in ("answers", "text")
        },
    )


def _asked(tag: str, again: NextTokens | None) -> AskedQuant:
    """Return what became of the baseline's second measurement."""
    if again is None:
        return AskedQuant(quant_tag=tag, status=RunStatus.NOT_RUN, status_reason="not measured")
    return AskedQuant(quant_tag=tag, status=again.status, status_reason=again.status_reason)
