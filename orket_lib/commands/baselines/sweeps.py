"""`orket baselines record` and `compare`: what they do with a finished sweep."""

from __future__ import annotations

import argparse
from collections import Counter, defaultdict
from collections.abc import Iterator
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING

from orket_lib.commands._common import add_log, print_json, stamp, tell
from orket_lib.commands._storage import add_storage_root
from orket_lib.commands.baselines.cells import (
    cells_of,
    filled_store,
    metadata_of,
    records_of,
    regressed_in,
    store_of,
)

if TYPE_CHECKING:
    from orket_lib.analysis.baselines.regression import CellNow
    from orket_lib.artifacts.baseline import Baseline
    from orket_lib.artifacts.views.run_report import RunReport
    from orket_lib.stores.baselines import BaselineStore

_POLICY_SAID_NO = 3


def add_record(parser: argparse.ArgumentParser) -> None:
    """Add the options of `record`."""
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--summary", type=Path, help="sweep_summary.json: its valid rows")
    source.add_argument(
        "--report", type=Path, nargs="+", help="run reports (run.json); need --bank"
    )
    parser.add_argument("--bank", type=Path, help="task bank; default: the one of the sweep")
    parser.add_argument("--regression", type=Path, help="leave out cells that regressed in it")
    parser.add_argument("--out", type=Path, help="what was recorded; without it, it is printed")
    parser.add_argument("--json", action="store_true", help="print what was recorded as JSON")
    add_storage_root(parser)
    add_log(parser)


def record(options: argparse.Namespace) -> int:
    """Add the measurements that are fit to be a baseline, and say which were and why not."""
    from orket_lib.artifacts.baseline import BaselineReceipt, NotRecorded, Recorded
    from orket_lib.artifacts.io import write_model

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
            tell(f"disturbed, its times are none for lane lab: {one.model_id} {one.quant_tag}")
    return 0


def add_compare(parser: argparse.ArgumentParser) -> None:
    """Add the options of `compare`."""
    parser.add_argument("--summary", type=Path, required=True, help="sweep_summary.json")
    parser.add_argument("--bank", type=Path, help="task bank; default: the one of the sweep")
    parser.add_argument(
        "--baseline-ref", help="compare with this measurement; default: the mean of all that fit"
    )
    parser.add_argument("--out", type=Path, help="the comparison; without it, it is printed")
    parser.add_argument("--json", action="store_true", help="print the comparison as JSON")
    parser.add_argument(
        "--verdict-only", action="store_true", help="exit 0 whatever the verdict is"
    )
    add_storage_root(parser)
    add_log(parser)


def compare(options: argparse.Namespace) -> int:
    """Compare, write, and name the regressions."""
    from orket_lib.analysis.baselines.regression import judge_sweep
    from orket_lib.artifacts.io import read_model, write_model
    from orket_lib.artifacts.views.regression import Regression
    from orket_lib.artifacts.views.summary import Summary
    from orket_lib.report.baselines import regression_text
    from orket_lib.vocabulary.thresholds import REGRESSION_ALPHA, REGRESSION_FLOOR

    summary = read_model(options.summary, Summary)
    cells = list(cells_of(summary, options.bank))
    histories = _histories(filled_store(options), cells)
    if options.baseline_ref:
        _require_ref(options.baseline_ref, histories)
    judged = judge_sweep(cells, histories, summary.execution_lane, options.baseline_ref)
    regression = Regression(
        **stamp([options.summary], summary.provenance.ref, summary.provenance.config_sha256),
        execution_lane=summary.execution_lane,
        vram_profile=summary.vram_profile,
        hardware_fingerprint=summary.hardware_fingerprint,
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
        print(regression_text(regression))  # noqa: T201
    for failure in judged.failures:
        tell(f"regression: {failure}")
    return _POLICY_SAID_NO if judged.failures and not options.verdict_only else 0


def _cells(options: argparse.Namespace) -> Iterator[CellNow]:
    """Yield the cells that the options name.

    Raises:
        ArtifactError: A file of them is missing or damaged, or `--bank` is.
    """
    from orket_lib.analysis.baselines.regression import CellNow
    from orket_lib.artifacts.io import read_model
    from orket_lib.artifacts.views.run_report import RunReport
    from orket_lib.artifacts.views.summary import Summary
    from orket_lib.vocabulary.errors import ArtifactError

    if options.summary:
        yield from cells_of(read_model(options.summary, Summary), options.bank)
        return
    if options.bank is None:
        raise ArtifactError("--report: the tasks' revisions are read from --bank, which is missing")
    for path in options.report:
        report = read_model(path, RunReport)
        cell = (report.spec.model_id, report.spec.quant_tag)
        because = _unfit(report)
        if because:
            yield CellNow(*cell, invalid_because=because)
        else:
            yield CellNow(*cell, records_of(report, options.bank, _is_clean(report)))


def _unfit(report: RunReport) -> tuple[str, ...]:
    """Return what no policy would tolerate in a baseline; a run report alone has no policy."""
    from orket_lib.vocabulary.reasons import Severity
    from orket_lib.vocabulary.statuses import RunStatus

    if report.status is not RunStatus.MEASURED:
        return (f"status is {report.status.value}",)
    seen = [
        *report.observations,
        *(item for run in report.test_runs for item in run.telemetry.run_quality_reasons),
        *(item for probe in report.probes for item in probe.observations),
    ]
    return tuple(sorted({item.reason.value for item in seen if item.severity is Severity.HARD}))


def _is_clean(report: RunReport) -> bool:
    """Tell whether nothing disturbed a measurement, by the strict limits of a config without any.

    Answers of a disturbed one are as good as others; its times are none to hold others to.
    """
    from orket_lib.analysis.rows.aggregates import mean_over_answered
    from orket_lib.analysis.rows.quality import row_quality, row_reasons
    from orket_lib.config.sections.rows import Rows
    from orket_lib.vocabulary.statuses import Lane, Quality

    overhead = mean_over_answered(report.test_runs, "orchestration_overhead_ratio")
    reasons = row_reasons(report, Rows().row_policy, overhead)
    return row_quality(reasons, Lane.LAB) is Quality.CLEAN


def _histories(store: BaselineStore, cells: list[CellNow]) -> dict[str, tuple[Baseline, ...]]:
    test_ids = {test_id for cell in cells for test_id in cell.records}
    return {test_id: store.history(test_id) for test_id in sorted(test_ids)}


def _require_ref(ref: str, histories: dict[str, tuple[Baseline, ...]]) -> None:
    """Refuse a ref that no task has.

    Raises:
        ArtifactError: Naming it.
    """
    from orket_lib.vocabulary.errors import ArtifactError

    known = {
        item.baseline_metadata.test_run_id for history in histories.values() for item in history
    }
    if ref not in known:
        raise ArtifactError(f"--baseline-ref {ref}: no baseline of these tasks has that ref")
