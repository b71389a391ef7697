"""Limits of speed, latency and memory (`wants:` in the config), compared with a quant's row."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from operator import truediv

from orket_lib.analysis.frontier import FrontierPolicy, memory_mib
from orket_lib.artifacts.views.context_ceiling import ContextSeen
from orket_lib.artifacts.views.row import RowMetrics
from orket_lib.artifacts.views.verdict import WantCheck
from orket_lib.vocabulary.null_reasons import meaning_of
from orket_lib.vocabulary.nulls import Null, apply
from orket_lib.vocabulary.statuses import Lane, WantName, WantStatus
from orket_lib.vocabulary.thresholds import exceeds, reaches
from orket_lib.vocabulary.units import MIB_PER_GIB


@dataclass(frozen=True)
class Want:
    """One kind of limit.

    Attributes:
        read: Returns the figure of a row, in the unit of the limit.
        at_least: Whether the limit is a minimum, not a maximum.
        spoiled_by: Field of a row that says why the times behind the figure don't count; "" for
            other figures.
        interval: Name of the figure in the row's intervals; "" for one that has none.
    """

    read: Callable[[RowMetrics | ContextSeen], float | Null]
    at_least: bool = False
    spoiled_by: str = ""
    interval: str = ""

    @classmethod
    def of_time(cls, name: str, spoiled_by: str, at_least: bool = False) -> Want:
        """Return the limit of a time or rate."""
        return cls(lambda row: row.reading(name), at_least, spoiled_by, name)


def _gib(mib: float | Null) -> float | Null:
    return apply(truediv, mib, MIB_PER_GIB)


WANTS: dict[WantName, Want] = {
    WantName.DECODE_TPS: Want.of_time("generation_tokens_per_second", "speed_spoiled_by", True),
    WantName.TTFT_MS: Want.of_time("ttft_ms", "speed_spoiled_by"),
    WantName.LATENCY_S: Want.of_time("total_latency", "latency_spoiled_by"),
    WantName.MEMORY_GIB: Want(lambda row: _gib(memory_mib(row))),
    WantName.VRAM_GIB: Want(lambda row: _gib(row.reading("peak_vram_mib"))),
    WantName.RAM_GIB: Want(lambda row: _gib(row.reading("peak_memory_rss"))),
    # Measured at the pick, after the decision; see `analysis.context.wanted`.
    WantName.CONTEXT: Want(lambda _: Null("MEASURED_AT_THE_PICK"), at_least=True),
}

TIMES = frozenset(name for name, want in WANTS.items() if want.spoiled_by)

_MEMORY = (WantName.MEMORY_GIB, WantName.VRAM_GIB, WantName.RAM_GIB)

Wants = Mapping[WantName, float]  # limit by name


def wants_of(policy: FrontierPolicy, lane: Lane) -> Wants:
    """Return the limits of a config, including the latency ceiling; no speeds in lane ci."""
    asked = {WantName.LATENCY_S: policy.latency_ceiling, **policy.wants}
    return {name: limit for name, limit in asked.items() if lane is Lane.LAB or name not in TIMES}


def check_wants(
    row: RowMetrics, wants: Wants, at_context: ContextSeen | None = None
) -> tuple[WantCheck, ...]:
    """Return whether a measured row meets each limit.

    Args:
        row: A row with figures.
        wants: Limits by name.
        at_context: What was seen at the wanted context, whose memory counts if it is more.
    """
    return tuple(_check(row, name, limit, at_context) for name, limit in wants.items())


def _check(
    row: RowMetrics, name: WantName, limit: float, at_context: ContextSeen | None
) -> WantCheck:
    want = WANTS[name]
    value = want.read(row)
    if at_context and name in _MEMORY:
        value = apply(max, value, want.read(at_context))
    why = _why_no_time(want, row)
    if isinstance(value, Null):
        known = meaning_of(value.reason) or value.reason
        return _not_established(name, limit, None, why or known)
    if why:
        return _not_established(name, limit, value, why)
    low, high = row.intervals.get(want.interval, (value, value))
    if low < limit < high:
        return WantCheck(
            want=name,
            limit=limit,
            value=value,
            status=WantStatus.BORDERLINE,
            because=f"its 95% interval is {low:.4g} to {high:.4g}",
        )
    met = reaches(value, limit) if want.at_least else not exceeds(value, limit)
    status = WantStatus.MET if met else WantStatus.NOT_MET
    return WantCheck(want=name, limit=limit, value=value, status=status)


def _why_no_time(want: Want, row: RowMetrics) -> str:
    """Return why the times behind a figure don't count; `""` if they do, or if it is no time."""
    if not want.spoiled_by:
        return ""
    spoiled: tuple[str, ...] | None = getattr(row, want.spoiled_by)
    return "; ".join(row.invalid_because if spoiled is None else spoiled)  # None: an older row


def _not_established(name: WantName, limit: float, value: float | None, because: str) -> WantCheck:
    return WantCheck(
        want=name, limit=limit, value=value, status=WantStatus.NOT_ESTABLISHED, because=because
    )
