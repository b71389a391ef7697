"""Why a KPI gate failed and what to do about it: the last lines of a sweep that it stops."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal

from orket_lib.analysis.kpis import AS_ASKED
from orket_lib.analysis.verdict.caveats import by_the_machine
from orket_lib.artifacts.views.kpis import KpiGate
from orket_lib.artifacts.views.summary import Summary, SummaryRow
from orket_lib.report.formatting import ratio
from orket_lib.vocabulary.nulls import Null
from orket_lib.vocabulary.statuses import RunStatus, TokenStatus

_MOST_NAMED = 5
_REMEDIES = {
    "missing_telemetry_rate": "the server reports no token counts or no times: use another server, "
    "or another version of it",
    "polluted_run_rate": "stop what disturbed them",
    "frontier_success_rate": "the recommendation above says why",
    "determinism_rate": "the same question got different answers: check for a temperature above 0, "
    "a seed that the server ignores, and other clients of the server",
}
_OF_NULLS = {
    "NOTHING_MEASURED": "no row was measured; the reasons are listed above",
    "NO_SESSION": "the summary has no model",
    "ONE_RUN_PER_TASK": "ask each task twice (runs_per_quant: 2), or switch this limit off "
    "(min_determinism_rate: null)",
    "NO_ANSWER_SHOWN": "the runner reports no answers, so switch this limit off "
    "(min_determinism_rate: null)",
}
# KPIs that disturbed times make fail.
_OF_TIMES = {"polluted_run_rate", "frontier_success_rate"}


def kpi_failures(gate: KpiGate, summary: Summary, policy: str, again: str) -> list[str]:
    """Return which KPIs failed, by how much, where, and what to do; nothing for a gate that passed.

    Args:
        gate: The verdict.
        summary: The sweep's summary.
        policy: The file with the limits.
        again: The command that measures the sweep again.
    """
    if gate.verdict == "PASS":
        return []
    lines = ["KPI gate: FAIL"]
    for failure in gate.failures:
        name = _name(failure)
        where = list(_where(failure.partition("=")[0], summary))
        lines.append(f"  {failure}")
        if where:
            more = f" and {len(where) - _MOST_NAMED} more" if len(where) > _MOST_NAMED else ""
            lines.append(f"    {'; '.join(where[:_MOST_NAMED])}{more}")
        null = gate.stability_kpis.null_reasons.get(name)
        lines.append(f"    {_OF_NULLS.get(null, null) if null else _REMEDIES[name]}")
    return [
        *lines,
        f"  after fixing this, measure again: {again}",
        f"  or change the limits in {policy} and rerun the same command",
    ]


def disturbed_part(gate: KpiGate, summary: Summary) -> Literal["probes", "runs"] | None:
    """Return the only part that has to be measured again on a quiet machine; None if there's more.

    Args:
        gate: A verdict that is FAIL.
        summary: The sweep's summary.
    """
    measured = [row for session in summary.sessions for row in session.per_quant]
    rows = [row for row in measured if row.status is RunStatus.MEASURED and not row.valid]
    alone = all(by_the_machine(row) and row.quality_valid for row in rows)
    if not rows or not alone or not _OF_TIMES.issuperset(map(_name, gate.failures)):
        return None
    if all(row.latency_spoiled_by == () for row in rows):
        return "probes"
    return "runs" if all(row.speed_valid for row in rows) else None


def _name(failure: str) -> str:
    return failure.partition("=")[0].removesuffix(AS_ASKED)


def _where(name: str, summary: Summary) -> Iterator[str]:
    """Yield the rows or models behind a KPI, each with its problem."""
    if name.removesuffix(AS_ASKED) == "frontier_success_rate":
        for session in summary.sessions:
            reason = session.efficiency_frontier.reason
            if session.efficiency_frontier.minimum_viable_quant_tag is None:
                yield f"{session.model_id}: {reason}"
        return
    for session in summary.sessions:
        for row in session.per_quant:
            if found := _WRONG[name](row) if row.status is RunStatus.MEASURED else "":
                yield f"{row.model_id} {row.quant_tag}: {found}"


def _missing_telemetry(row: SummaryRow) -> str:
    status = row.token_metrics_status
    return "" if status in (None, TokenStatus.OK) else status.value


def _not_deterministic(row: SummaryRow) -> str:
    rate = row.reading("determinism_rate")
    return rate.reason if isinstance(rate, Null) else "" if rate == 1 else ratio(rate)


_WRONG: dict[str, Callable[[SummaryRow], str]] = {
    "missing_telemetry_rate": _missing_telemetry,
    "polluted_run_rate": lambda row: ", ".join(row.invalid_because),
    f"polluted_run_rate{AS_ASKED}": lambda row: ", ".join(row.quality_spoiled_by or ()),
    "determinism_rate": _not_deterministic,
}
