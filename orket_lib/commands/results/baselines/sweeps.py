"""`orket baselines record` and `compare`."""

from __future__ import annotations

import argparse
from collections import Counter, defaultdict
from collections.abc import Iterator
from operator import attrgetter
from pathlib import Path

from orket_lib.analysis.baselines.regression import CellNow, judge_sweep
from orket_lib.analysis.rows.aggregates import mean_over_answered
from orket_lib.analysis.rows.quality import row_quality, row_reasons
from orket_lib.artifacts.baseline import Baseline, BaselineReceipt, NotRecorded, Recorded
from orket_lib.artifacts.io import read_model, write_model
from orket_lib.artifacts.views.regression import Regression
from orket_lib.artifacts.views.run_report import RunReport
from orket_lib.artifacts.views.summary import Summary
from orket_lib.commands._common import (
    add_log,
    print_json,
    print_text,
    stamp,
    stamp_like,
    tell,
)
from orket_lib.commands._storage import add_storage_root
from orket_lib.commands.results.baselines.cells import (
    cell_now,
    cells_of,
    filled_store,
    metadata_of,
    records_of,
    regressed_in,
    store_of,
)
from orket_lib.config.sections.rows import Rows
from orket_lib.report.baselines import regression_text
from orket_lib.stores.baselines import BaselineStore
from orket_lib.vocabulary.errors import ArtifactError, Refused
from orket_lib.vocabulary.reasons import Severity
from orket_lib.vocabulary.statuses import Lane, Quality, RunStatus
from orket_lib.vocabulary.thresholds import REGRESSION_ALPHA, REGRESSION_FLOOR


def add_record(parser: argparse.ArgumentParser) -> None:
    """Add the options of `record`."""
    add = parser.add_argument
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument(
        "--summary", type=Path, help="sweep_summary.json; its valid rows are recorded"
    )
    source.add_argument(
        "--report", type=Path, nargs="+", help="run reports (run.json); needs --bank"
    )
    add("--bank", type=Path, help="task bank; default: the one of the sweep")
    add("--regression", type=Path, help="regression.json; leave out cells that regressed")
    add("--out", type=Path, help="receipt to write; printed if not given")
    add("--json", action="store_true", help="print the receipt as JSON")
    add_storage_root(parser)
    add_log(parser)


def record(options: argparse.Namespace) -> int:
    """Record the measurements that are fit to be baselines, and print why others are not."""
    cells = list(_cells(options))
    regressed: set[str] = set()
    inputs = list(options.report or [options.summary])
    if options.regression:
        inputs.append(options.regression)
        regressed = regressed_in(options.regression, cells)
    recorded: dict[str, CellNow] = {}
    left_out = []
    by_test: dict[str, list[Baseline]] = defaultdict(list)
    for cell in cells:
        reason = "; ".join(cell.invalid_because)
        if not reason and metadata_of(cell).test_run_id in regressed:
            reason = f"regressed, see {options.regression.as_posix()}"
        if reason:
            left_out.append(
                NotRecorded(model_id=cell.model_id, quant_tag=cell.quant_tag, reason=reason)
            )
            continue
        recorded[metadata_of(cell).test_run_id] = cell
        for test_id, item in cell.records.items():
            by_test[test_id].append(item)
    store = store_of(options)
    kept = [store.add(test_id, items) for test_id, items in by_test.items()]
    added, replaced = (
        Counter(item.baseline_metadata.test_run_id for each in kept for item in part(each))
        for part in (attrgetter("added"), attrgetter("replaced"))
    )
    receipt = BaselineReceipt(
        **stamp(inputs),
        recorded=[
            Recorded(
                test_run_id=ref,
                model_id=cell.model_id,
                quant_tag=cell.quant_tag,
                tasks=len(cell.records),
                added=added[ref],
                replaced=replaced[ref],
                clean=metadata_of(cell).clean,
            )
            for ref, cell in recorded.items()
        ],
        not_recorded=left_out,
    )
    if options.out:
        write_model(options.out, receipt)
    if options.json or not options.out:
        print_json(receipt)
    for missing in left_out:
        tell(f"not recorded: {missing.model_id} {missing.quant_tag}: {missing.reason}")
    for one in receipt.recorded:
        if not one.clean:
            tell(f"disturbed, so lane lab will not use its times: {one.model_id} {one.quant_tag}")
    return 0


def add_compare(parser: argparse.ArgumentParser) -> None:
    """Add the options of `compare`."""
    add = parser.add_argument
    add("--summary", type=Path, required=True, help="sweep_summary.json")
    add("--bank", type=Path, help="task bank; default: the one of the sweep")
    add(
        "--baseline-ref", help="compare with this measurement (default: the mean of all that match)"
    )
    add("--out", type=Path, help="comparison to write; printed if not given")
    add("--json", action="store_true", help="print the comparison as JSON")
    add("--verdict-only", action="store_true", help="exit with 0 even if the verdict is FAIL")
    add_storage_root(parser)
    add_log(parser)


def compare(options: argparse.Namespace) -> int:
    """Compare, write, and print the regressions."""
    summary = read_model(options.summary, Summary)
    cells = list(cells_of(summary, options.bank))
    histories = _histories(filled_store(options), cells)
    if options.baseline_ref:
        _require_ref(options.baseline_ref, histories)
    judged = judge_sweep(cells, histories, summary.execution_lane, options.baseline_ref)
    regression = Regression(
        **stamp_like(summary, [options.summary]),
        summary_path=options.summary.as_posix(),
        alpha=REGRESSION_ALPHA,
        smallest_change=REGRESSION_FLOOR,
        comparisons=judged.comparisons,
        cells=judged.cells,
        verdict=judged.verdict,
        failures=judged.failures,
    )
    if options.out:
        write_model(options.out, regression)
    if options.json:
        print_json(regression)
    elif not options.out:
        print_text(regression_text(regression))
    for failure in judged.failures:
        tell(f"regression: {failure}")
    return Refused.exit_code if judged.failures and not options.verdict_only else 0


def _cells(options: argparse.Namespace) -> Iterator[CellNow]:
    """Yield the cells that the options name.

    Raises:
        ArtifactError: A file is missing or damaged.
    """
    if options.summary:
        yield from cells_of(read_model(options.summary, Summary), options.bank)
        return
    if options.bank is None:
        raise ArtifactError("--report: needs --bank, for the revisions of the tasks")
    for path in options.report:
        report = read_model(path, RunReport)
        cell = (report.spec.model_id, report.spec.quant_tag)
        because = _unfit(report)
        if because:
            yield CellNow(*cell, invalid_because=because)
        else:
            yield cell_now(*cell, records_of(report, options.bank, _is_clean(report)))


def _unfit(report: RunReport) -> tuple[str, ...]:
    """Return the reasons that no policy accepts. A run report alone has no policy."""
    if report.status is not RunStatus.MEASURED:
        return (f"status is {report.status.value}",)
    seen = [
        *report.observations,
        *(item for run in report.test_runs for item in run.telemetry.run_quality_reasons),
        *(item for probe in report.probes for item in probe.observations),
    ]
    return tuple(sorted({item.reason.value for item in seen if item.severity is Severity.HARD}))


def _is_clean(report: RunReport) -> bool:
    """Return whether a measurement was undisturbed, by the strict default limits.

    The answers of a disturbed one still count; its times are not used in lane `lab`.
    """

    overhead = mean_over_answered(report.test_runs, "orchestration_overhead_ratio")
    reasons = row_reasons(report, Rows().row_policy, overhead)
    return row_quality(reasons, Lane.LAB) is Quality.CLEAN


def _histories(store: BaselineStore, cells: list[CellNow]) -> dict[str, tuple[Baseline, ...]]:
    test_ids = {test_id for cell in cells for test_id in cell.records}
    return {test_id: store.history(test_id) for test_id in sorted(test_ids)}


def _require_ref(ref: str, histories: dict[str, tuple[Baseline, ...]]) -> None:
    """Refuse a ref that no task has.

    Raises:
        ArtifactError: No baseline of these tasks has that ref.
    """
    known = {
        item.baseline_metadata.test_run_id for history in histories.values() for item in history
    }
    if ref not in known:
        raise ArtifactError(f"--baseline-ref {ref}: no baseline of these tasks has that ref")
