"""Limits of speed, latency and memory (`wants:` in the config), compared with a quant's row."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from operator import truediv

from orket_lib.analysis.frontier import FrontierPolicy, memory_mib
from orket_lib.artifacts.views.row import RowMetrics
from orket_lib.artifacts.views.verdict import WantCheck
from orket_lib.vocabulary.nulls import Null, apply
from orket_lib.vocabulary.statuses import Lane
from orket_lib.vocabulary.thresholds import exceeds, reaches
from orket_lib.vocabulary.units import MIB_PER_GIB
from orket_lib.vocabulary.verdicts import WantName, WantStatus


@dataclass(frozen=True)
class Want:
    """One kind of limit.

    Attributes:
        read: Returns the figure of a row, in the unit of the limit.
        at_least: Whether the limit is a minimum, not a maximum.
        of_time: Whether the figure needs undisturbed times.
    """

    read: Callable[[RowMetrics], float | Null]
    at_least: bool = False
    of_time: bool = True


def _gib(mib: float | Null) -> float | Null:
    return apply(truediv, mib, MIB_PER_GIB)


WANTS: dict[WantName, Want] = {
    WantName.DECODE_TPS: Want(
        lambda row: row.reading("generation_tokens_per_second"), at_least=True
    ),
    WantName.TTFT_MS: Want(lambda row: row.reading("ttft_ms")),
    WantName.LATENCY_S: Want(lambda row: row.reading("total_latency")),
    WantName.MEMORY_GIB: Want(lambda row: _gib(memory_mib(row)), of_time=False),
    WantName.VRAM_GIB: Want(lambda row: _gib(row.reading("peak_vram_mib")), of_time=False),
    WantName.RAM_GIB: Want(lambda row: _gib(row.reading("peak_memory_rss")), of_time=False),
}

Wants = Mapping[WantName, float]  # limit by name


def wants_of(policy: FrontierPolicy, lane: Lane) -> Wants:
    """Return the limits of a config, including the latency ceiling; no speeds in lane ci."""
    asked = {WantName.LATENCY_S: policy.latency_ceiling, **policy.wants}
    return {
        name: limit for name, limit in asked.items() if lane is Lane.LAB or not WANTS[name].of_time
    }


def check_wants(row: RowMetrics, wants: Wants) -> tuple[WantCheck, ...]:
    """Return whether a measured row meets each limit.

    Args:
        row: A row with figures.
        wants: Limits by name.
    """
    return tuple(_check(row, name, limit) for name, limit in wants.items())


def _check(row: RowMetrics, name: WantName, limit: float) -> WantCheck:
    want = WANTS[name]
    value = want.read(row)
    if isinstance(value, Null):
        return _not_established(name, limit, None, value.reason)
    if want.of_time and not row.valid:
        return _not_established(name, limit, value, "; ".join(row.invalid_because))
    met = reaches(value, limit) if want.at_least else not exceeds(value, limit)
    status = WantStatus.MET if met else WantStatus.NOT_MET
    return WantCheck(want=name, limit=limit, value=value, status=status)


def _not_established(name: WantName, limit: float, value: float | None, because: str) -> WantCheck:
    return WantCheck(
        want=name, limit=limit, value=value, status=WantStatus.NOT_ESTABLISHED, because=because
    )
