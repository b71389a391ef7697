"""Baselines and regressions as text, in aligned lines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from orket_lib.artifacts.baseline import Baseline
from orket_lib.artifacts.views.regression import CellRegression, Change, MetricVerdict, Regression
from orket_lib.report.formatting import aligned, figure, shown
from orket_lib.vocabulary.units import counted

_MOST_TASKS = 10


def records_text(records: Iterable[Baseline]) -> str:
    """Return records as a table, in the order given."""
    rows = [
        (
            item.baseline_metadata.created_at,
            "pinned" if item.baseline_metadata.pinned else "",
            item.baseline_metadata.test_run_id,
            item.baseline_metadata.task_revision,
            f"{item.gold_telemetry.adherence_score:.3f}",
            shown(item.gold_telemetry.reading("total_latency"), "{:.4g} s".format),
        )
        for item in records
    ]
    head = ("measured at", "", "baseline ref", "task revision", "adherence", "latency")
    return "\n".join(aligned([head, *rows]))


def regression_text(regression: Regression) -> str:
    """Return the result of a comparison: each cell, its metrics, and the tasks that changed."""
    lines = [line for cell in regression.cells for line in _cell(cell)]
    verdict = f"{regression.verdict}: {len(regression.failures)} regressions that gate"
    return "\n".join([*lines, f"{verdict}, {regression.comparisons} comparisons"])


def _cell(cell: CellRegression) -> Iterator[str]:
    named = f"{cell.model_id} {cell.quant_tag}: {cell.status}"
    count = f", {len(cell.baselines)} baselines" if cell.baselines else ""
    changed = f"; changed since the newest: {', '.join(cell.changed)}" if cell.changed else ""
    yield f"{named}{count}{changed}{': ' if cell.detail else ''}{cell.detail}"
    for left_out in cell.unresolved:
        yield f"  {counted(len(left_out.test_ids), 'task')} not compared: {left_out.status}"
    decided = [item for item in cell.metrics if item.verdict is not Change.UNDECIDED]
    if decided:
        head = ("metric", "verdict", "before", "now", "effect", "95 % interval", "noise", "p")
        yield from aligned([head, *map(_metric, decided)], indent=2)
    for item in decided:
        first = item.findings[:_MOST_TASKS]
        for finding in first:
            yield (
                f"    {finding.test_id}: {finding.metric} {finding.change} "
                f"{figure(finding.before)} -> {figure(finding.now)}"
            )
        if len(item.findings) > len(first):
            yield f"    ... {len(item.findings) - len(first)} more"


def _metric(item: MetricVerdict) -> tuple[str, ...]:
    form = "{:+.3f}" if item.metric == "adherence_score" else "{:+.1%}"
    effect, low, high = (form.format(item.reading(name)) for name in ("effect", "low", "high"))
    verdict = item.verdict if item.gates else f"{item.verdict} (gates nothing)"
    return (
        item.metric,
        verdict,
        shown(item.reading("before"), figure),
        shown(item.reading("now"), figure),
        effect,
        f"{low} to {high}",
        form.format(item.reading("noise")).lstrip("+"),
        f"{item.reading('p_adjusted'):.2g}",
    )
