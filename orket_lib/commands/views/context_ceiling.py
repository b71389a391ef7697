"""`orket context-ceiling`: find out from summaries how long a context a model can be used with."""

from __future__ import annotations

import argparse
from pathlib import Path

from orket_lib.analysis.context.ceiling import context_points, largest_passing, safe_ceiling
from orket_lib.analysis.context.recommendation import context_advice, served_differently
from orket_lib.artifacts.io import write_model
from orket_lib.artifacts.views.context_ceiling import ContextCeiling, ContextThresholds, NotTried
from orket_lib.commands._common import add_out, finite, stamp
from orket_lib.commands._storage import add_kept_below
from orket_lib.commands.history import keep
from orket_lib.commands.views._context_summaries import Given, common, one_pair, read_summaries
from orket_lib.report.plots.context import plot_context
from orket_lib.vocabulary.statuses import Lane, VramProfile, weakest


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument(
        "--contexts", type=_contexts, nargs="+", required=True, help="tokens, such as 4096,8192"
    )
    parser.add_argument(
        "--summary-template", required=True, help="path of their summaries, with {context} in it"
    )
    parser.add_argument("--model-id", help="may be left out where there is one")
    parser.add_argument("--quant-tag", help="likewise")
    for option, kind, least, what in (
        ("--adherence-min", _share, 0.95, "least adherence"),
        ("--ttft-ceiling-ms", finite, 250.0, "most time to a follow-up's first token"),
        ("--decode-floor-tps", finite, 20.0, "least tokens per second"),
    ):
        text = f"{what}; 0 = no limit; default: %(default)s"
        parser.add_argument(option, type=kind, default=least, help=text)
    parser.add_argument(
        "--include-invalid", action="store_true", help="let rows that are not valid pass, too"
    )
    parser.add_argument(
        "--execution-lane",
        choices=list(Lane),
        help="label; rows keep the judgement of their own lane (default: the summaries')",
    )
    parser.add_argument("--vram-profile", choices=list(VramProfile), help="likewise")
    parser.add_argument("--provenance-ref", help="label of the caller (default: the summaries')")
    add_kept_below(parser)
    parser.add_argument("--out-plot", type=Path, help="its picture as PNG")
    add_out(parser, "the context ceiling")


def run(options: argparse.Namespace) -> int:
    """Read, judge, write, draw."""
    contexts = [context for part in options.contexts for context in part]
    given = read_summaries(contexts, options.summary_template)
    artifact = _ceiling(options, given)
    write_model(options.out, artifact)
    if options.out_plot:
        plot_context(artifact, options.out_plot)
    if options.storage_root:
        keep(options.storage_root, options.out)
    return 0


def _ceiling(options: argparse.Namespace, given: list[Given]) -> ContextCeiling:

    model_id, quant_tag = pair = one_pair(given, options.model_id, options.quant_tag)
    thresholds = _thresholds(options)
    figures = [one.figures[pair] for one in given if one.left_out is None]
    points = context_points(figures, thresholds)
    lane = Lane(common(given, "execution_lane", options.execution_lane) or Lane.LAB)
    # Another label is no other judgement: the rows keep that of the lane they were measured in.
    judged = weakest(one.labels.execution_lane for one in given)
    left_out = [(one.context, one.left_out[2]) for one in given if one.left_out]
    first = given[0].labels.provenance
    advice = (
        context_advice(
            f"{model_id} at {quant_tag}",
            points,
            thresholds,
            weakest((judged, lane)),
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
        recommendation=" ".join(filter(None, (advice, served_differently(figures)))),
        points=points,
        not_tried=[NotTried(context=context, reason=reason) for context, reason in left_out],
    )


def _thresholds(options: argparse.Namespace) -> ContextThresholds:

    return ContextThresholds(
        adherence_min=options.adherence_min,
        ttft_ceiling_ms=options.ttft_ceiling_ms,
        decode_floor_tps=options.decode_floor_tps,
        include_invalid=options.include_invalid,
    )


def _share(text: str) -> float:
    value = finite(text)
    if value > 1:
        raise argparse.ArgumentTypeError(f"must be a share of at most 1 (got {text!r})")
    return value


def _contexts(text: str) -> tuple[int, ...]:
    try:
        found = tuple(int(part) for part in text.split(",") if part.strip())
    except ValueError:
        found = ()
    if not found or min(found) < 1:
        raise argparse.ArgumentTypeError(f"must be whole numbers >= 1 (got {text!r})")
    return found
