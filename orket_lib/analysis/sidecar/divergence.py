"""Hardware sidecar against task runs: where their rates differ, and the overhead of the runs.

By the sidecar, an answer takes its TTFT plus the answer's tokens at its decode rate. The rest of
the runs' wall clock is overhead: of the client, of the server, and of prompts whose length differs
from that of a probe.
"""

from __future__ import annotations

import operator
from dataclasses import dataclass

from orket_lib.artifacts.views.row import RowMetrics
from orket_lib.vocabulary.nulls import Null, apply
from orket_lib.vocabulary.thresholds import SIDECAR_DIVERGENCE, exceeds

# Fields of the sidecar, and the names of the same rates in a row.
_PAIRS = (
    ("prefill_tps", "prompt_tokens_per_second"),
    ("decode_tps", "generation_tokens_per_second"),
)


@dataclass(frozen=True)
class RatePair:
    """One rate, measured by the sidecar and by the probes of the task runs.

    Attributes:
        difference: (sidecar - row) / row.
        diverges: Whether that is more than `SIDECAR_DIVERGENCE` either way.
    """

    field: str
    sidecar: float
    row: float
    difference: float
    diverges: bool


@dataclass(frozen=True)
class AnswerTime:
    """Time per answer by the sidecar and by the runs' wall clock, in seconds.

    Attributes:
        ttft_s: TTFT of the sidecar.
        decode_s: An answer's tokens at the sidecar's decode rate.
        sidecar_s: The sum of both.
        wall_s: Mean over the runs that answered.
        overhead_s: Wall clock minus sidecar; may be negative.
        overhead_ratio: Overhead as a share of the wall clock.
    """

    ttft_s: float | Null
    decode_s: float | Null
    sidecar_s: float | Null
    wall_s: float | Null
    overhead_s: float | Null
    overhead_ratio: float | Null


def answer_time(row: RowMetrics) -> AnswerTime | None:
    """Return the time per answer of a row; None for a row without a sidecar."""
    if row.sidecar is None:
        return None
    ttft_s = apply(lambda ms: ms / 1000, row.sidecar.reading("ttft_ms"))
    tokens, rate = row.reading("output_tokens_per_answer"), row.sidecar.reading("decode_tps")
    decode_s = apply(operator.truediv, tokens, rate)
    sidecar_s = apply(operator.add, ttft_s, decode_s)
    wall_s = row.reading("total_latency")
    overhead_s = apply(operator.sub, wall_s, sidecar_s)
    ratio = apply(operator.truediv, overhead_s, wall_s or Null("NO_TIME"))
    return AnswerTime(ttft_s, decode_s, sidecar_s, wall_s, overhead_s, ratio)


def rate_pairs(row: RowMetrics) -> tuple[RatePair, ...]:
    """Return the rates that both sides have; empty for a row without a sidecar."""
    if row.sidecar is None:
        return ()
    pairs = []
    for field, name in _PAIRS:
        probed, measured = getattr(row.sidecar, field), getattr(row, name)
        if probed is not None and measured:
            difference = (probed - measured) / measured
            diverges = exceeds(abs(difference), SIDECAR_DIVERGENCE)
            pairs.append(RatePair(field, probed, measured, difference, diverges))
    return tuple(pairs)
