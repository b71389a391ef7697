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
from orket_lib.commands._common import add_out, finite, stamp
from orket_lib.commands._storage import add_kept_below
from orket_lib.commands.history import keep
from orket_lib.report.plots.thermal import plot_thermal
from orket_lib.vocabulary.errors import ArtifactError
from orket_lib.vocabulary.statuses import Lane, VramProfile, weakest


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    add = parser.add_argument
    add(
        "--summaries",
        type=_files,
        nargs="+",
        required=True,
        metavar="FILE",
        help="one series.json, or sweep_summary.json files in the order of their measuring, "
        "with blanks or commas between them",
    )
    add("--model-id", help="needed where the files have several")
    add("--quant-tag", help="needed where the files have several")
    add("--cooldown-target-c", type=finite, default=50.0, help="cool enough; default: %(default)g")
    add(
        "--polluted-thermal-threshold-c",
        type=finite,
        default=85.0,
        help="a run that ends above it is polluted; default: %(default)g",
    )
    add("--monotonic-window", type=int, default=2, help="rises in a row; default: %(default)d")
    add(
        "--execution-lane",
        type=Lane,
        choices=list(Lane),
        help="label; runs are judged by the lane of their files (default: that one)",
    )
    add("--vram-profile", type=VramProfile, choices=list(VramProfile), help="default: the files'")
    add("--provenance-ref", help="label of the caller (default: the files')")
    add("--frontier", type=Path, help="frontier_explorer.json of the sweep, for its labels")
    add_kept_below(parser)
    add("--out-plot", type=Path, help="its picture (PNG)")
    add_out(parser, "the thermal profile")
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
    """Return what the files hold.

    Raises:
        ArtifactError: They can't be read, or are not of one thing.
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
        raise ArtifactError(
            f"{of_series[0]}: is a whole series; give it alone, or give summaries of sweeps"
        )
    ((path, content),) = contents
    series = parse_model(content, ThermalSeries, path)
    return from_series(series, path.as_posix(), options.model_id, options.quant_tag), series


def _profile(options: argparse.Namespace, source: ThermalSource) -> ThermalProfile:
    """Return the profile of what the files hold."""
    labels, fingerprint, inputs = _labels(options, source)
    lane, profile = _named(options, labels)
    # Another label is no other judgement: the runs keep that of the lane they were measured in.
    measured = {run.lane for run in source.runs if run.lane} or {labels.lane or lane}
    judged = weakest(measured)
    thresholds = _thresholds(options)
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
            nothing_to_run(source.model_id, source.why_none)
            if source.quant_tag == UNKNOWN
            else thermal_recommendation(
                name, findings, thresholds, weakest((judged, lane)), source.failure
            )
        ),
        **{field.name: getattr(findings, field.name) for field in fields(findings)},
    )


def _thresholds(options: argparse.Namespace) -> ThermalThresholds:

    names = ThermalThresholds.model_fields
    return ThermalThresholds(**{name: getattr(options, name) for name in names})


def _labels(
    options: argparse.Namespace, source: ThermalSource
) -> tuple[Labels, str | None, list[Path]]:
    """Return the labels, the machine, and the files that all of it comes from."""
    if options.frontier is None:
        return source.labels, source.fingerprint, options.summaries
    frontier = read_model(options.frontier, FrontierExplorer)
    fingerprint = source.fingerprint or frontier.hardware_fingerprint
    return labels_of(frontier), fingerprint, [*options.summaries, options.frontier]


def _named(options: argparse.Namespace, labels: Labels) -> tuple[Lane, VramProfile]:
    """Return lane and profile: as named on the command line, else as the files agree on."""
    lane, profile = options.execution_lane or labels.lane, options.vram_profile or labels.profile
    missing = [
        option
        for option, value in (("--execution-lane", lane), ("--vram-profile", profile))
        if value is None
    ]
    if lane is None or profile is None:
        raise ArtifactError(
            f"name {' and '.join(missing)}: the files don't tell, or differ (or name --frontier)"
        )
    return lane, profile


def _files(text: str) -> tuple[Path, ...]:
    """Return the files of one argument; a file with a comma in its name is one."""
    if Path(text).is_file():
        return (Path(text),)
    found = tuple(Path(part.strip()) for part in text.split(",") if part.strip())
    if not found:
        raise argparse.ArgumentTypeError(f"must be a file, or files (got {text!r:.80})")
    return found


def _refuse_twice(paths: Sequence[Path]) -> None:
    """Refuse a file that is given twice, under whatever name."""
    seen: dict[str, Path] = {}
    for path in paths:
        if not path.is_file():
            raise ArtifactError(f"{path}: no such file")
        other = seen.setdefault(sha256_of_file(path), path)
        if other is not path:
            raise ArtifactError(f"{path}: has the same content as {other}; a run counts once")
