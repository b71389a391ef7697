"""Divergences, as a measurement of probabilities gives them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from builders import NOW, PROVENANCE

from orket_lib.artifacts.views.kld import Divergence, Kld, QuantDivergence
from orket_lib.vocabulary.nulls import Null
from orket_lib.vocabulary.statuses import RunStatus


def divergence(mean: float | None, spread: float = 0.1) -> Divergence:
    """Return a divergence with its intervals; None for one that is not known."""
    if mean is None:
        readings: dict[str, Any] = dict.fromkeys(Divergence.readings(), Null("NO_PROBABILITIES"))
        return Divergence.of(metric="kld", blocks=0, positions=0, **readings)
    return Divergence.of(
        metric="kld",
        blocks=20,
        positions=1260,
        mean=mean,
        mean_interval=(mean * (1 - spread), mean * (1 + spread)),
        median=mean / 2,
        p90=mean * 2,
        p99=mean * 3,
        p999=mean * 4,
        maximum=mean * 5,
        same_top=0.9,
        same_top_interval=(0.85, 0.94),
        merged_share=0.0,
    )


def of_quant(
    quant: str, text: float | None, answers: float | None = 0.5, spread: float = 0.1
) -> QuantDivergence:
    return QuantDivergence(
        quant_tag=quant,
        status=RunStatus.MEASURED,
        status_reason=None,
        answers=divergence(answers),
        text=divergence(text, spread),
    )


def kld(
    floor: float | None = 0.0001,
    spread: float = 0.1,
    texts: Mapping[str, float | None] = {},
) -> Kld:
    """Return the divergences from F16, over the text, of each quant.

    Args:
        floor: Of F16 itself.
        spread: Half of an interval, as a share of the mean.
        texts: By quant, most bits first.
    """
    return Kld(
        generated_at=NOW,
        provenance=PROVENANCE,
        model_id="nano",
        baseline_quant="F16",
        reason=None,
        text="text.txt",
        text_sha256="t",
        noise_floor=of_quant("F16", floor),
        quants=tuple(of_quant(quant, mean, spread=spread) for quant, mean in texts.items()),
    )
