"""`orket look`: judge a model's quants after a batch of tasks, and drop those that are decided."""

from __future__ import annotations

import argparse
from pathlib import Path

from orket_lib.analysis.looks import looked_quants, spent_seconds
from orket_lib.analysis.rows.aggregates import task_scores
from orket_lib.analysis.verdict.looks import certain_at
from orket_lib.artifacts.io import read_model, write_model
from orket_lib.artifacts.row_settings import RowSettings
from orket_lib.artifacts.views.look import Look, LookSettings, Started
from orket_lib.artifacts.views.run_report import RunReport
from orket_lib.commands._common import add_out, stamp, tell, whole_number
from orket_lib.commands.views._rows import metrics_of
from orket_lib.report.look import look_lines
from orket_lib.vocabulary.errors import ArtifactError

EXAMPLES = (
    "orket look --settings looks.json --rows row.json --cells cells --model nano "
    "--batch 1 --out 1.json",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    add = parser.add_argument
    add("--settings", type=Path, required=True, help="policy/looks.json of the sweep")
    add("--rows", type=Path, required=True, help="row policy and labels (JSON)")
    add("--cells", type=Path, required=True, help="folder of the cells' run reports")
    add("--model", required=True, help="folder name of the model")
    add("--batch", type=whole_number(0), required=True, help="look after this batch")
    add("--started", type=Path, help="start of the sweep, if it has a budget")
    add_out(parser, "look")


def run(options: argparse.Namespace) -> int:
    """Read the run reports of all batches so far, judge, write, and say what was decided."""
    settings = read_model(options.settings, LookSettings)
    if options.model not in settings.models:
        known = ", ".join(settings.models)
        raise ArtifactError(f"{options.settings}: has no model `{options.model}`, only {known}")
    if options.batch > len(settings.ends):
        raise ArtifactError(f"{options.settings}: has {len(settings.ends)} batches")
    paths = _paths(options, settings)
    reports = {quant: [read_model(path, RunReport) for path in own] for quant, own in paths.items()}
    since = read_model(options.started, Started).started_at if options.started else None
    labels = read_model(options.rows, RowSettings)
    built = {quant: metrics_of(own, paths[quant], labels) for quant, own in reports.items()}
    for quant, (whole, metrics) in built.items():
        if metrics.quant_tag != quant:
            raise ArtifactError(f"{paths[quant][0]}: is of {whole.spec.quant_tag}, not of {quant}")
    batch, batches = options.batch, len(settings.ends)
    look = Look(
        **stamp([options.settings, *(path for own in paths.values() for path in own)]),
        model_id=settings.models[options.model],
        batch=batch,
        batches=batches,
        tasks=settings.ends[max(1, batch) - 1],
        tasks_in_all=settings.ends[-1],
        runs_per_task=settings.runs_per_task,
        certain=certain_at(batch, batches),
        seconds=spent_seconds(reports, since) if since else None,
        budget_seconds=settings.budget_seconds,
        quants=looked_quants(
            [metrics for _, metrics in built.values()],
            {quant: task_scores(whole.test_runs) for quant, (whole, _) in built.items()},
            reports,
            settings,
            batch,
            since,
        ),
    )
    write_model(options.out, look)
    for line in look_lines(look):
        tell(line)
    return 0


def _paths(options: argparse.Namespace, settings: LookSettings) -> dict[str, list[Path]]:
    """Return the run reports of each quant's batches so far.

    They are derived from the config: hundreds of paths would exceed Windows' command line.
    """
    model = options.model
    quants = settings.quants[model] if options.batch else (settings.baselines[model],)
    parts = ["", *(f"batch-{number}" for number in range(2, options.batch + 1))]
    folder = options.cells / options.model
    return {quant: [folder / quant / part / "run.json" for part in parts] for quant in quants}
