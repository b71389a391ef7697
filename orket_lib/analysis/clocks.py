"""Decode rates by two clocks: the server's corrected rate, and the client's own."""

from __future__ import annotations

from dataclasses import dataclass

from orket_lib.artifacts.views.run_report import RunReport


@dataclass(frozen=True)
class ClockAgreement:
    """The decode rates of one cell's probes by two clocks, in tokens per second.

    Attributes:
        cell: Model and quant.
        probes: Number of probes with both clocks.
        server_tps: Intervals over the server's generation time (T4), over all probes.
        client_tps: (tokens - 1) over last - first chunk by our clock, over all probes.
        difference: client / server - 1.
        worst_difference: The same for the probe that differs most.
    """

    cell: str
    probes: int
    server_tps: float
    client_tps: float
    difference: float
    worst_difference: float


def clock_agreement(report: RunReport) -> ClockAgreement | None:
    """Return how well the two clocks agree; None if no probe has both."""
    pairs = [
        (probe.decode_intervals, probe.decode_seconds, probe.output_tokens - 1, client_seconds)
        for probe in report.probes
        if probe.decode_intervals
        and probe.decode_seconds
        and probe.output_tokens
        and (client_seconds := probe.client_decode_seconds)
    ]
    if not pairs:
        return None
    intervals, server_s, tokens, client_s = map(sum, zip(*pairs, strict=True))
    server, client = intervals / server_s, tokens / client_s
    return ClockAgreement(
        cell=f"{report.spec.model_id} {report.spec.quant_tag}",
        probes=len(pairs),
        server_tps=server,
        client_tps=client,
        difference=client / server - 1,
        worst_difference=max(((c / d) / (a / b) - 1 for a, b, c, d in pairs), key=abs),
    )
