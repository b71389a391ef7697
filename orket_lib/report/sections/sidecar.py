"""The report's section on hardware sidecars, compared with the task runs."""

from __future__ import annotations

from dataclasses import dataclass

from orket_lib.analysis.sidecar.divergence import answer_time, rate_pairs
from orket_lib.artifacts.views.summary import ModelSession, SummaryRow
from orket_lib.report.formatting import DASH, figure, figures, shown
from orket_lib.vocabulary.statuses import RunStatus
from orket_lib.vocabulary.thresholds import SIDECAR_DIVERGENCE

_ADVICE = "Rely on the task runs to choose a quant, and on the sidecar to investigate the hardware."


@dataclass(frozen=True)
class SidecarSection:
    """The sidecars of one model.

    Attributes:
        model_id: The model.
        rows: Cells of one table line per quant.
        times: Cells of one table line per quant: sidecar totals and the runs' wall clock.
        notes: Sentences on rates that diverge.
    """

    model_id: str
    rows: tuple[tuple[str, ...], ...]
    times: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...]


def sidecar_section(session: ModelSession) -> SidecarSection | None:
    """Return the section of a model; None if no row has a sidecar."""
    probed = [row for row in session.per_quant if row.sidecar]
    if not probed:
        return None
    pairs = [(row, pair) for row in probed for pair in rate_pairs(row)]
    notes = [
        f"{row.quant_tag}: {pair.field.removesuffix('_tps')} {figure(pair.sidecar)} t/s in the "
        f"sidecar, {figure(pair.row)} t/s in the task runs' probes ({pair.difference:+.0%})."
        for row, pair in pairs
        if pair.diverges
    ]
    if notes:
        notes.append(f"Rates differ by more than {SIDECAR_DIVERGENCE:.0%}. {_ADVICE}")
    elif pairs:
        notes.append(f"No rate differs by more than {SIDECAR_DIVERGENCE:.0%}.")
    else:
        notes.append("There are no rates to compare.")
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
        *figures(sidecar, "decode_tps"),
        differences.get("decode_tps", missing),
        *figures(sidecar, "prefill_tps"),
        differences.get("prefill_tps", missing),
        *figures(sidecar, "ttft_ms", "request_floor_ms", "model_load_ms"),
    )


def _times(row: SummaryRow) -> tuple[str, ...]:
    sidecar, time = row.sidecar, answer_time(row)
    assert sidecar is not None
    assert time is not None
    return (
        row.quant_tag,
        shown(sidecar.reading("model_load_ms"), lambda ms: figure(ms / 1000)),
        *figures(row, "init_latency", "output_tokens_per_answer"),
        *(shown(value, figure) for value in (time.ttft_s, time.decode_s, time.sidecar_s)),
        *(shown(value, figure) for value in (time.wall_s, time.overhead_s)),
        shown(time.overhead_ratio, "{:+.1%}".format),
    )
