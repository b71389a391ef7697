"""Two clocks on one generation: the server's corrected decode rate against the client's own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from orket_lib.artifacts.views.run_report import RunReport


@dataclass(frozen=True)
class ClockAgreement:
    """The decode rates of one cell's probes by two clocks, in tokens per second.

    Attributes:
        cell: Model and quant.
        probes: How many probes have both.
        server_tps: Intervals over the server's generation time (T4), all probes together.
        client_tps: (tokens - 1) over last - first chunk by our clock, all probes together.
        difference: client / server - 1.
        worst_difference: The same for the single probe that differs most.
    """

    cell: str
    probes: int
    server_tps: float
    client_tps: float
    difference: float
    worst_difference: float


def clock_agreement(report: RunReport) -> ClockAgreement | None:
    """Return how far the two clocks agree, or None when no probe has both."""
    pairs = [
        (probe.decode_intervals, probe.decode_seconds, probe.output_tokens - 1, client)
        for probe in report.probes
        if probe.decode_intervals
        and probe.decode_seconds
        and probe.output_tokens
        and (client := probe.client_decode_seconds)
    ]
    if not pairs:
        return None
    server = sum(p[0] for p in pairs) / sum(p[1] for p in pairs)
    client_rate = sum(p[2] for p in pairs) / sum(p[3] for p in pairs)
    each: Sequence[float] = [(p[2] / p[3]) / (p[0] / p[1]) - 1 for p in pairs]
    return ClockAgreement(
        cell=f"{report.spec.model_id} {report.spec.quant_tag}",
        probes=len(pairs),
        server_tps=server,
        client_tps=client_rate,
        difference=client_rate / server - 1,
        worst_difference=max(each, key=abs),
    )
