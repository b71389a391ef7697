"""`orket context-ceiling`: find the context ceiling from summaries at several contexts."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from orket_lib.analysis.context.ceiling import context_points, largest_passing, safe_ceiling
from orket_lib.analysis.context.recommendation import context_advice, served_differently
from orket_lib.analysis.context.wanted import check_context
from orket_lib.artifacts.io import write_model
from orket_lib.artifacts.views.context_ceiling import (
    ContextCeiling,
    ContextPoint,
    ContextThresholds,
    NotTried,
)
from orket_lib.commands._common import add_out, number, stamp, whole_number
from orket_lib.commands._storage import add_kept_below
from orket_lib.commands.results.history import keep
from orket_lib.commands.views._context_summaries import Given, common, one_pair, read_summaries
from orket_lib.report.plots.context import plot_context
from orket_lib.vocabulary.statuses import Lane, VramProfile, weakest

EXAMPLES = (
    "orket context-ceiling --contexts 1024 2048 "
    "--summary-template 'contexts/{context}/summary.json' --out ceiling.json",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    add = parser.add_argument
    add_contexts(parser)
    add(
        "--summary-template",
        required=True,
        help="path of their summaries, with the placeholder {context}",
    )
    add("--model-id", help="needed if the summaries have several models")
    add("--quant-tag", help="needed if the summaries have several quants")
    add(
        "--execution-lane",
        choices=list(Lane),
        help="label only; rows are judged by their own lane (default: the summaries' lane)",
    )
    add("--vram-profile", choices=list(VramProfile), help="label")
    add("--provenance-ref", help="who asked, as a label")
    add_kept_below(parser)
    add("--out-plot", type=Path, help="plot as PNG")
    add_out(parser, "context ceiling artifact")


def add_contexts(parser: argparse.ArgumentParser) -> None:
    """Add the contexts and their limits."""
    add = parser.add_argument
    add(
        "--contexts",
        type=_contexts,
        nargs="+",
        required=True,
        help="context lengths in tokens, such as 4096,8192",
    )
    for option, kind, least, what in (
        ("--adherence-min", number(most=1), 0.95, "lowest adherence"),
        ("--ttft-ceiling-ms", number(), 250.0, "highest time to first token of a follow-up"),
        ("--decode-floor-tps", number(), 20.0, "lowest decode rate"),
    ):
        text = f"{what}; 0 = no limit; default: %(default)s"
        add(option, type=kind, default=least, help=text)
    add("--wanted-context", type=whole_number(1), help="context that the config wants, in tokens")
    add("--include-invalid", action="store_true", help="accept rows that are not valid")


def contexts_of(options: argparse.Namespace) -> list[int]:
    """Return the contexts of the options that `add_contexts` adds."""
    return [context for part in options.contexts for context in part]


def thresholds_of(options: argparse.Namespace) -> ContextThresholds:
    """Return their limits."""
    return ContextThresholds(
        **{name: getattr(options, name) for name in ContextThresholds.model_fields}
    )


def run(options: argparse.Namespace) -> int:
    """Read, judge, write, draw."""
    given = read_summaries(contexts_of(options), options.summary_template)
    artifact = _ceiling(options, given)
    write_model(options.out, artifact)
    if options.out_plot:
        plot_context(artifact, options.out_plot)
    if options.storage_root:
        keep(options.storage_root, options.out)
    return 0


def _ceiling(options: argparse.Namespace, given: list[Given]) -> ContextCeiling:
    model_id, quant_tag = pair = one_pair(given, options.model_id, options.quant_tag)
    thresholds = thresholds_of(options)
    figures = [one.figures[pair] for one in given if one.left_out is None]
    points = context_points(figures, thresholds)
    want = (
        check_context(options.wanted_context, points, thresholds)
        if options.wanted_context
        else None
    )
    lane = Lane(common(given, "execution_lane", options.execution_lane) or Lane.LAB)
    # A label changes no judgement: rows are judged by the lane that they were measured in.
    judged = weakest(one.labels.execution_lane for one in given)
    left_out = [(one.context, one.left_out[2]) for one in given if one.left_out]
    first = given[0].labels.provenance
    advice = (
        context_advice(
            f"{model_id} at {quant_tag}",
            points,
            thresholds,
            weakest((judged, lane)),
            want,
        )
        if points
        else f"{model_id}: no context was tried. {left_out[0][1]}"
    )
    return ContextCeiling.of(
        **stamp(
            [one.path for one in given], options.provenance_ref or first.ref, first.config_sha256
        ),
        execution_lane=lane,
        vram_profile=common(given, "vram_profile", options.vram_profile),
        hardware_fingerprint=common(given, "hardware_fingerprint"),
        model_id=model_id,
        quant_tag=quant_tag,
        sweep=given[0].sweep,
        measured_lane=None if judged is lane else judged,
        served=next((item.served for item in figures if item.served), None),
        thresholds=thresholds,
        safe_context_ceiling=safe_ceiling(points),
        largest_passing_context=largest_passing(points),
        want=want,
        recommendation=" ".join(
            filter(None, (advice, _larger(points, left_out), served_differently(figures)))
        ),
        points=points,
        not_tried=[NotTried(context=context, reason=reason) for context, reason in left_out],
    )


def _larger(points: Sequence[ContextPoint], left_out: Sequence[tuple[int, str]]) -> str | None:
    """Return why contexts larger than all that were tried and passed were left out."""
    if not points or not all(point.passed for point in points):
        return None
    reasons = [reason for context, reason in left_out if context > points[-1].context]
    return f"Larger ones were not tried: {reasons[0]}." if reasons else None


def _contexts(text: str) -> tuple[int, ...]:
    try:
        found = tuple(int(part) for part in text.split(",") if part.strip())
    except ValueError:
        found = ()
    if not found or min(found) < 1:
        raise argparse.ArgumentTypeError(f"must be whole numbers >= 1 (got {text!r})")
    return found
