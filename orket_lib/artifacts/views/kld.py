"""KL divergence of the quants of a model from its baseline: `orket.kld.v1`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from orket_lib.artifacts.base import Artifact, Measured, Reading, Record, Share
from orket_lib.artifacts.views.receipt import AnyReceipt
from orket_lib.vocabulary.statuses import RunStatus

Interval = tuple[float, float] | None


class Divergence(Measured):
    """How far the probabilities of a quant are from those of the baseline, in nats per token.

    An interval is that of 95 %, from blocks drawn with replacement: a block is an answer, or a
    window of the text. It is null with fewer than 20 blocks.
    """

    metric: str = Field(
        description="`kld` over the whole vocabulary; `kld_topk<k>` over the k most probable "
        "tokens of the baseline, all others as one, which is a lower bound"
    )
    blocks: int
    positions: int = Field(description="places at which the next token was asked")
    mean: Reading
    mean_interval: Interval = None
    median: Reading
    median_interval: Interval = None
    p90: Reading = Field(description="90 % of the places have at most this")
    p90_interval: Interval = None
    p99: Reading
    p99_interval: Interval = None
    p999: Reading
    maximum: Reading
    same_top: Share = Field(description="places with the same most probable token")
    same_top_interval: Interval = None
    merged_share: Share = Field(
        description="mean probability, by the baseline, of the tokens that are taken as one"
    )


class QuantDivergence(Record):
    """One quant, compared with the baseline."""

    quant_tag: str
    status: RunStatus
    status_reason: str | None = Field(description="why it was not measured; null when it was")
    observations: tuple[str, ...] = Field(
        (), description="reasons that may have changed its probabilities, or the baseline's"
    )
    answers: Divergence = Field(description="over answers of the baseline")
    text: Divergence = Field(description="over the text")

    @property
    def measured(self) -> bool:
        """Whether it has a divergence, over the text or over the answers."""
        return self.text.mean is not None or self.answers.mean is not None


class Kld(Artifact):
    """`fidelity/<model>/kld.json`."""

    schema_version: Literal["orket.kld.v1"] = "orket.kld.v1"
    model_id: str
    baseline_quant: str | None = Field(description="null when there is none")
    reason: str | None = Field(description="why there is no baseline; null with one")
    text: str = Field(description="path of the text")
    text_sha256: str
    noise_floor: QuantDivergence | None = Field(
        description="the baseline, measured twice; null without a baseline"
    )
    quants: tuple[QuantDivergence, ...] = Field(description="the others, most bits first")

    @property
    def compared(self) -> tuple[QuantDivergence, ...]:
        """The quants, and the noise floor if there is one."""
        return (*((self.noise_floor,) if self.noise_floor else ()), *self.quants)


class AskedQuant(Record):
    """What became of a quant."""

    quant_tag: str
    status: RunStatus
    status_reason: str | None


class FidelityReceipt(AnyReceipt):
    """`fidelity/<model>/receipt.json`."""

    schema_version: Literal["orket.fidelity_receipt.v1"] = "orket.fidelity_receipt.v1"
    model_id: str
    baseline_quant: str | None
    reason: str | None = Field(description="why there is no baseline; null with one")
    text: str
    text_sha256: str
    quants: tuple[AskedQuant, ...] = Field(description="all of the sweep, most bits first")
