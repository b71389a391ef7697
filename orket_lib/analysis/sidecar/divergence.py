"""Hardware sidecar against task runs: where their rates differ, and what the runs take beyond it.

By the sidecar, an answer takes its TTFT and the answer's tokens at its decode rate. What the runs'
wall clock shows beyond that is orchestration: the client's, the server's, and that of a prompt of
another length than a probe's.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from orket_lib.artifacts.views.row import RowMetrics
from orket_lib.vocabulary.nulls import Null
from orket_lib.vocabulary.thresholds import SIDECAR_DIVERGENCE, exceeds

# Fields of the sidecar, and what the row calls the same rate.
_PAIRS = (
    ("prefill_tps", "prompt_tokens_per_second"),
    ("decode_tps", "generation_tokens_per_second"),
)


@dataclass(frozen=True)
class RatePair:
    """One rate, as the sidecar and as the task runs' probes have it.

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
    """What an answer takes by the sidecar, and by the runs' wall clock, in seconds.

    Attributes:
        ttft_s: Of the sidecar.
        decode_s: An answer's tokens at the sidecar's decode rate.
        sidecar_s: Both together.
        wall_s: Mean over the runs that answered.
        overhead_s: What the wall clock has beyond the sidecar; below 0 where it has less.
        overhead_ratio: The same as a share of the wall clock.
    """

    ttft_s: float | Null
    decode_s: float | Null
    sidecar_s: float | Null
    wall_s: float | Null
    overhead_s: float | Null
    overhead_ratio: float | Null


def answer_time(row: RowMetrics) -> AnswerTime | None:
    """Return what an answer of a row takes; None for a row without a sidecar."""
    if row.sidecar is None:
        return None
    ttft_s = _of(row.sidecar.reading("ttft_ms"), 1000.0, operator.truediv)
    tokens, rate = row.reading("output_tokens_per_answer"), row.sidecar.reading("decode_tps")
    decode_s = _of(tokens, rate, operator.truediv)
    sidecar_s = _of(ttft_s, decode_s, operator.add)
    wall_s = row.reading("total_latency")
    overhead_s = _of(wall_s, sidecar_s, operator.sub)
    ratio = _of(overhead_s, wall_s or Null("NO_TIME"), operator.truediv)
    return AnswerTime(ttft_s, decode_s, sidecar_s, wall_s, overhead_s, ratio)


def _of(
    left: float | Null, right: float | Null, make: Callable[[float, float], float]
) -> float | Null:
    """Return a result of two readings; the first that is missing is why there is none."""
    if isinstance(left, Null):
        return left
    return right if isinstance(right, Null) else make(left, right)


def rate_pairs(row: RowMetrics) -> tuple[RatePair, ...]:
    """Return the rates that both sides have; nothing for a row without a sidecar."""
    return tuple(_pairs(row))


def _pairs(row: RowMetrics) -> Iterator[RatePair]:
    if row.sidecar is None:
        return
    for field, name in _PAIRS:
        probed, measured = row.sidecar.reading(field), row.reading(name)
        if not (isinstance(probed, Null) or isinstance(measured, Null)) and measured > 0:
            difference = (probed - measured) / measured
            diverges = exceeds(abs(difference), SIDECAR_DIVERGENCE)
            yield RatePair(field, probed, measured, difference, diverges)
