"""`orket thermal-profile`: make the thermal profile of a series, or of several sweeps."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path

from orket_lib.analysis.thermal.profile import judge_runs
from orket_lib.analysis.thermal.recommendation import nothing_to_run, thermal_recommendation
from orket_lib.analysis.thermal.sources import (
    Labels,
    ThermalSource,
    from_series,
    from_summaries,
    labels_of,
)
from orket_lib.artifacts.io import parse_model, read_json, read_model, sha256_of_file, write_model
from orket_lib.artifacts.measurements.thermal_series import ThermalSeries
from orket_lib.artifacts.schemas import version_of
from orket_lib.artifacts.views.frontier import UNKNOWN, FrontierExplorer
from orket_lib.artifacts.views.summary import Summary
from orket_lib.artifacts.views.thermal_profile import ThermalProfile, ThermalThresholds
from orket_lib.commands._common import add_out, number, stamp
from orket_lib.commands._storage import add_kept_below
from orket_lib.commands.results.history import keep
from orket_lib.report.plots.thermal import plot_thermal
from orket_lib.vocabulary.errors import ArtifactError
from orket_lib.vocabulary.statuses import Lane, VramProfile, weakest

EXAMPLES = ("orket thermal-profile --summaries first.json second.json --out profile.json",)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    add = parser.add_argument
    add(
        "--summaries",
        type=_files,
        nargs="+",
        required=True,
        metavar="FILE",
        help="one series.json, or several sweep_summary.json in the order of measuring, "
        "separated by spaces or commas",
    )
    add("--model-id", help="needed if the files have several models")
    add("--quant-tag", help="needed if the files have several quants")
    add(
        "--cooldown-target-c",
        type=number(),
        default=50.0,
        help="a run may start below this; default: %(default)g",
    )
    add(
        "--polluted-thermal-threshold-c",
        type=number(),
        default=85.0,
        help="a run that ends above this is polluted; default: %(default)g",
    )
    add(
        "--monotonic-window",
        type=int,
        default=2,
        help="consecutive rises that are a heat soak; default: %(default)d",
    )
    add(
        "--execution-lane",
        type=Lane,
        choices=list(Lane),
        help="label only; runs are judged by the lane of their files",
    )
    add("--vram-profile", type=VramProfile, choices=list(VramProfile), help="label")
    add("--provenance-ref", help="who asked, as a label")
    add("--frontier", type=Path, help="frontier_explorer.json of the sweep; its labels are used")
    add_kept_below(parser)
    add("--out-plot", type=Path, help="plot as PNG")
    add_out(parser, "thermal profile artifact")
    parser.set_defaults(misused=parser.error)


def run(options: argparse.Namespace) -> int:
    """Read, judge, write."""
    options.summaries = [path for part in options.summaries for path in part]
    if options.monotonic_window < 1:
        options.misused(f"--monotonic-window: must be 1 or more (got {options.monotonic_window})")
    if options.cooldown_target_c >= options.polluted_thermal_threshold_c:
        options.misused("--cooldown-target-c: must be below --polluted-thermal-threshold-c")
    source, series = _source(options)
    profile = _profile(options, source)
    write_model(options.out, profile)
    if options.out_plot:
        plot_thermal(profile, series, options.out_plot)
    if options.storage_root:
        keep(options.storage_root, options.out)
    return 0


def _source(options: argparse.Namespace) -> tuple[ThermalSource, ThermalSeries | None]:
    """Return the runs in the files.

    Raises:
        ArtifactError: They can't be read, or mix a series with summaries.
    """
    _refuse_twice(options.summaries)
    contents = [(path, read_json(path)) for path in options.summaries]
    of_series = [
        path
        for path, content in contents
        if isinstance(content, dict) and content.get("schema_version") == version_of(ThermalSeries)
    ]
    if not of_series:
        summaries = [(path, parse_model(content, Summary, path)) for path, content in contents]
        return from_summaries(summaries, options.model_id, options.quant_tag), None
    if len(contents) > 1:
        raise ArtifactError(f"{of_series[0]}: is a series; give it alone, or give only summaries")
    ((path, content),) = contents
    series = parse_model(content, ThermalSeries, path)
    return from_series(series, path.as_posix(), options.model_id, options.quant_tag), series


def _profile(options: argparse.Namespace, source: ThermalSource) -> ThermalProfile:
    """Return the profile of the runs."""
    labels, fingerprint, inputs = _labels(options, source)
    lane, profile = _named(options, labels)
    # A label changes no judgement: runs are judged by the lane that they were measured in.
    measured = {run.lane for run in source.runs if run.lane} or {labels.lane or lane}
    judged = weakest(measured)
    thresholds = ThermalThresholds(
        **{name: getattr(options, name) for name in ThermalThresholds.model_fields}
    )
    findings = judge_runs(source.runs, thresholds, judged, source.why_none)
    name = f"{source.model_id} {source.quant_tag}"
    return ThermalProfile.of(
        **stamp(
            inputs, options.provenance_ref or labels.ref or "local-run:manual", labels.config_sha256
        ),
        execution_lane=lane,
        vram_profile=profile,
        hardware_fingerprint=fingerprint,
        model_id=source.model_id,
        quant_tag=source.quant_tag,
        sweep=labels.sweep,
        measured_lane=None if judged is lane else judged,
        served=source.served,
        thresholds=thresholds,
        recommendation=(
            nothing_to_run(source.model_id, source.failure or source.why_none)
            if source.quant_tag == UNKNOWN
            else thermal_recommendation(
                name, findings, thresholds, weakest((judged, lane)), source.failure
            )
        ),
        **{field.name: getattr(findings, field.name) for field in fields(findings)},
    )


def _labels(
    options: argparse.Namespace, source: ThermalSource
) -> tuple[Labels, str | None, list[Path]]:
    """Return the labels, the machine, and the input files."""
    if options.frontier is None:
        return source.labels, source.fingerprint, options.summaries
    frontier = read_model(options.frontier, FrontierExplorer)
    fingerprint = source.fingerprint or frontier.hardware_fingerprint
    return labels_of(frontier), fingerprint, [*options.summaries, options.frontier]


def _named(options: argparse.Namespace, labels: Labels) -> tuple[Lane, VramProfile]:
    """Return lane and profile from the command line, or those that all files share."""
    lane, profile = options.execution_lane or labels.lane, options.vram_profile or labels.profile
    missing = [
        option
        for option, value in (("--execution-lane", lane), ("--vram-profile", profile))
        if value is None
    ]
    if lane is None or profile is None:
        raise ArtifactError(
            f"give {' and '.join(missing)} or --frontier: the files have no label, or differ"
        )
    return lane, profile


def _files(text: str) -> tuple[Path, ...]:
    """Return the files of one argument. A file with a comma in its name is one file."""
    if Path(text).is_file():
        return (Path(text),)
    found = tuple(Path(part.strip()) for part in text.split(",") if part.strip())
    if not found:
        raise argparse.ArgumentTypeError(f"must be a file, or files (got {text!r:.80})")
    return found


def _refuse_twice(paths: Sequence[Path]) -> None:
    """Refuse files with the same content, whatever their names."""
    seen: dict[str, Path] = {}
    for path in paths:
        if not path.is_file():
            raise ArtifactError(f"{path}: no such file")
        other = seen.setdefault(sha256_of_file(path), path)
        if other is not path:
            raise ArtifactError(f"{path}: has the same content as {other}; give each run once")
