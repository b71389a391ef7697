"""`orket summary`: make the summary from the rows."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from orket_lib.analysis.canary_drift import canary_drifts
from orket_lib.analysis.frontier import FrontierPolicy
from orket_lib.analysis.summaries import canary_summary, summarize
from orket_lib.artifacts.digest import sha256_of
from orket_lib.artifacts.io import read_json, read_model, write_model
from orket_lib.artifacts.measurements.canary import CanaryMeasurement, CanaryVerdict
from orket_lib.artifacts.views.kld import Kld
from orket_lib.artifacts.views.look import Look
from orket_lib.artifacts.views.receipt import CanaryReceipt
from orket_lib.artifacts.views.row import Row
from orket_lib.artifacts.views.summary import Summary
from orket_lib.commands._common import add_out, stamp
from orket_lib.config.loading.parse import parse
from orket_lib.stores.attempts import read_taken
from orket_lib.vocabulary.errors import ArtifactError
from orket_lib.vocabulary.slugs import slugs

EXAMPLES = (
    "orket summary --matrix policy/matrix.json --canary canary/verdict.json --out summary.json",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    add = parser.add_argument
    add("--matrix", type=Path, required=True, help="the resolved config (JSON)")
    add("--canary", type=Path, required=True, help="canary verdict")
    for which in ("opening", "closing"):
        add(f"--{which}", type=Path, help=f"receipt of the {which} canary runs")
    add(
        "--rows",
        type=Path,
        help="folder of the rows <model>/<quant>.json (default: the folder of --out)",
    )
    add("--looks", type=Path, help="folder of the looks, if tasks are asked in batches")
    add("--fidelity", type=Path, help="folder of <model>/kld.json, if probabilities were measured")
    add("--batches", type=int, default=0, help="number of batches; default: %(default)s")
    add_out(parser, "summary")


def run(options: argparse.Namespace) -> int:
    """Read all rows of the config, combine them, write."""
    matrix = read_json(options.matrix)
    config = parse(matrix)
    # The paths are derived from the config: hundreds would exceed Windows' command line.
    folder = options.rows or options.out.parent
    folders = slugs(config.models)
    paths = [folder / folders[model] / f"{quant}.json" for model, quant in config.pairs]
    rows = [read_model(path, Row) for path in paths]
    lanes = {row.execution_lane for row in rows} - {config.execution_lane}
    if lanes:
        raise ArtifactError(
            f"{folder.as_posix()}: its rows were judged in lane {' and '.join(sorted(lanes))}, but "
            f"{options.matrix} has lane {config.execution_lane}; use the rows of this config"
        )
    machines = {row.hardware_fingerprint for row in rows}
    if len(machines) > 1:
        raise ArtifactError(f"rows of different machines: {', '.join(sorted(map(str, machines)))}")
    policy = FrontierPolicy(
        config.adherence_threshold,
        config.latency_ceiling,
        config.include_invalid,
        config.prefer,
        config.wants,
        quality_only=config.canary_on_latency == "quality_only",
        fidelity=config.fidelity,
        quick=config.quick,
    )
    verdict = read_model(options.canary, CanaryVerdict)
    receipts = [path for path in (options.opening, options.closing) if path]
    opening, closing = (
        [read_taken(part, CanaryMeasurement) for part in read_model(path, CanaryReceipt).parts]
        if path and options.closing
        else []
        for path in (options.opening, options.closing)
    )
    drifts = canary_drifts(opening, closing, verdict.policy.drop_first_run)
    looked = _looks(options, config.models)
    looks = {model: read_model(path, Look) for model, path in looked.items()}
    compared = _compared(options, config.models)
    klds = {model: read_model(path, Kld) for model, path in compared.items()}
    body = summarize(rows, config.models, policy, config.execution_lane, looks, klds)
    fields = stamp(
        [options.matrix, options.canary, *receipts, *paths, *looked.values(), *compared.values()],
        config.provenance_ref,
        sha256_of(matrix),
    )
    summary = Summary(
        **fields,
        execution_lane=config.execution_lane,
        vram_profile=config.vram_profile,
        hardware_fingerprint=rows[0].hardware_fingerprint,
        commit_sha=fields["provenance"].commit_sha,
        matrix=config.model_dump(mode="json"),
        canary=canary_summary(verdict, drifts),
        sessions=body.sessions,
        ranking=body.ranking,
        stability_kpis=body.stability_kpis,
        failed_rows=body.failed_rows,
    )
    write_model(options.out, summary)
    return 0


def _looks(options: argparse.Namespace, models: Sequence[str]) -> dict[str, Path]:
    """Return the last look at each model; nothing if all tasks are asked at once."""
    if options.looks is None:
        return {}
    name = f"{options.batches}.json"
    return {model: options.looks / folder / name for model, folder in slugs(models).items()}


def _compared(options: argparse.Namespace, models: Sequence[str]) -> dict[str, Path]:
    """Return the comparison of probabilities of each model; nothing if there is none."""
    if options.fidelity is None:
        return {}
    return {
        model: options.fidelity / folder / "kld.json" for model, folder in slugs(models).items()
    }
