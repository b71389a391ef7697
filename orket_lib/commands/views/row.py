"""`orket row`: make a cell's row from the run reports of its rounds or batches."""

from __future__ import annotations

import argparse
from pathlib import Path

from orket_lib.analysis.rows.aggregates import not_asked_scores, task_scores
from orket_lib.analysis.rows.answer_failures import Limits
from orket_lib.analysis.rows.answers import with_answers
from orket_lib.analysis.sidecar.parse import row_sidecar
from orket_lib.analysis.verdict.caveats import baseline_fails
from orket_lib.analysis.verdict.judged_tasks import tasks_that_judge
from orket_lib.analysis.verdict.of_rows import judged_tasks
from orket_lib.artifacts.io import read_model, write_model
from orket_lib.artifacts.measurements.sidecar import SidecarReport
from orket_lib.artifacts.row_settings import RowSettings
from orket_lib.artifacts.views.row import Row
from orket_lib.artifacts.views.run_report import RunReport
from orket_lib.commands._common import add_out, stamp, tell
from orket_lib.commands.views._rows import metrics_of
from orket_lib.tasks.answers import comparable
from orket_lib.vocabulary.statuses import ADVICE, SidecarStatus

EXAMPLES = ("orket row --report run.json --settings policy/row.json --out Q4_K_M.json",)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    add = parser.add_argument
    add("--report", type=Path, nargs="+", required=True, help="run reports of the cell, in order")
    add("--settings", type=Path, required=True, help="row policy and labels (JSON)")
    add("--sidecar", type=Path, help="view of the hardware sidecar, if any")
    add("--baseline", action="store_true", help="say if the tasks are too hard for a verdict")
    add_out(parser, "row")


def run(options: argparse.Namespace) -> int:
    """Read, judge, write."""
    settings = read_model(options.settings, RowSettings)
    sidecar = read_model(options.sidecar, SidecarReport) if options.sidecar else None
    inputs = [*options.report, options.settings, *filter(None, [options.sidecar])]
    report, metrics = metrics_of(
        [read_model(path, RunReport) for path in options.report],
        options.report,
        settings,
        sidecar.sidecar_parse_status if sidecar else SidecarStatus.NOT_APPLICABLE,
        row_sidecar(sidecar, options.sidecar.as_posix()) if sidecar else None,
    )
    row = Row(
        **stamp(inputs, settings.provenance_ref),
        execution_lane=settings.execution_lane,
        vram_profile=settings.vram_profile,
        hardware_fingerprint=report.hardware_fingerprint,
        policy=settings.policy,
        metrics=metrics,
        task_scores=with_answers(
            task_scores(report.test_runs, Limits.of(report)),
            report.test_runs,
            report.spec.tasks.bank_id,
            comparable,
        )
        + not_asked_scores(report.not_asked, report.spec.tasks.bank_id),
    )
    write_model(options.out, row)
    if options.baseline and metrics.quality_valid:
        _warn_of_hard_tasks(row)
    return 0


def _warn_of_hard_tasks(baseline: Row) -> None:
    tasks, metrics = judged_tasks([baseline.task_scores]), baseline.metrics
    scores = {it.test_id: it.adherence_score or 0.0 for it in baseline.task_scores}
    if tasks and tasks_that_judge(tasks, scores).too_hard:
        right = sum(scores[task.task_id] for task in tasks)
        fails = baseline_fails(metrics)
        tell(
            f"{metrics.model_id}: {metrics.quant_tag} answers {right:g} of {len(tasks)} tasks, too "
            "few for a verdict; the other quants' answers only show how far they agree with it"
            + (f" ({fails}: {ADVICE[fails.failure]})" if fails else "")
        )
