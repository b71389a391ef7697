"""The report's section on hardware sidecars: what they measured beside the task runs."""

from __future__ import annotations

from dataclasses import dataclass

from orket_lib.analysis.sidecar.divergence import RatePair, answer_time, rate_pairs
from orket_lib.artifacts.views.summary import ModelSession, SummaryRow
from orket_lib.report.formatting import DASH, figure, shown
from orket_lib.vocabulary.statuses import RunStatus
from orket_lib.vocabulary.thresholds import SIDECAR_DIVERGENCE

_ADVICE = "Trust the task runs for efficacy, and use the sidecar to investigate the hardware."


@dataclass(frozen=True)
class SidecarSection:
    """What the report says of one model's sidecars.

    Attributes:
        model_id: The model.
        rows: Cells of one table line per quant.
        times: Cells of one line per quant, of the sidecar's totals against the runs' wall clock.
        notes: Sentences on rates that diverge, or that none does.
    """

    model_id: str
    rows: tuple[tuple[str, ...], ...]
    times: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...]


def sidecar_section(session: ModelSession) -> SidecarSection | None:
    """Return the section of a model, None when no row has a sidecar."""
    probed = [row for row in session.per_quant if row.sidecar]
    if not probed:
        return None
    pairs = [(row, pair) for row in probed for pair in rate_pairs(row)]
    notes = [
        f"{row.quant_tag}: {_named(pair)} {figure(pair.sidecar)} t/s in the sidecar, "
        f"{figure(pair.row)} t/s in the task runs' probes ({pair.difference:+.0%})."
        for row, pair in pairs
        if pair.diverges
    ]
    if notes:
        notes.append(f"Rates differ by more than {SIDECAR_DIVERGENCE:.0%}. {_ADVICE}")
    elif pairs:
        notes.append(f"No rate differs by more than {SIDECAR_DIVERGENCE:.0%}.")
    else:
        notes.append("There is no rate to compare.")
    return SidecarSection(
        session.model_id, tuple(map(_cells, probed)), tuple(map(_times, probed)), tuple(notes)
    )


def _cells(row: SummaryRow) -> tuple[str, ...]:
    sidecar = row.sidecar
    assert sidecar is not None
    differences = {pair.field: f"{pair.difference:+.1%}" for pair in rate_pairs(row)}
    missing = DASH if row.status is RunStatus.MEASURED else f"{DASH} (no task runs)"
    return (
        row.quant_tag,
        row.hardware_sidecar.value,
        ", ".join(sidecar.errors) or "none",
        shown(sidecar.reading("decode_tps"), figure),
        differences.get("decode_tps", missing),
        shown(sidecar.reading("prefill_tps"), figure),
        differences.get("prefill_tps", missing),
        shown(sidecar.reading("ttft_ms"), figure),
        shown(sidecar.reading("request_floor_ms"), figure),
        shown(sidecar.reading("model_load_ms"), figure),
    )


def _times(row: SummaryRow) -> tuple[str, ...]:
    sidecar, time = row.sidecar, answer_time(row)
    assert sidecar is not None
    assert time is not None
    return (
        row.quant_tag,
        shown(sidecar.reading("model_load_ms"), lambda ms: figure(ms / 1000)),
        shown(row.reading("init_latency"), figure),
        shown(row.reading("output_tokens_per_answer"), figure),
        *(shown(value, figure) for value in (time.ttft_s, time.decode_s, time.sidecar_s)),
        shown(time.wall_s, figure),
        shown(time.overhead_s, figure),
        shown(time.overhead_ratio, "{:+.1%}".format),
    )


def _named(pair: RatePair) -> str:
    return pair.field.removesuffix("_tps")
