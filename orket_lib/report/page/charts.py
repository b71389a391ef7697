"""The charts of a model and of a sweep, from the summary and the context and thermal artifacts."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from orket_lib.analysis.pareto import undominated
from orket_lib.analysis.rows.adherence_interval import adherence_interval
from orket_lib.artifacts.views.context_ceiling import ContextCeiling, ContextQuants
from orket_lib.artifacts.views.ranking import Ranking
from orket_lib.artifacts.views.summary import ModelSession, SummaryRow
from orket_lib.artifacts.views.thermal_profile import ThermalProfile
from orket_lib.report.page.svg import Bar, Point, interval_chart, point_chart
from orket_lib.report.views import FrontierView
from orket_lib.vocabulary.statuses import Lane
from orket_lib.vocabulary.units import GIB, MIB, MIB_PER_GIB

_SHARE = "{:.0%}".format
_APART = 1.03  # of quants at one context, whose marks would cover each other


def score_chart(session: ModelSession, view: FrontierView) -> Markup:
    """Return the adherence of each quant with its interval; `""` without any."""
    bars = [
        Bar(row.quant_tag, row.adherence_score, *adherence_interval(row), _kind(row, session))
        for row in session.per_quant
        if row.adherence_score is not None
    ]
    name = f"{session.model_id}: adherence of each quant with its 95 % interval"
    return interval_chart(name, bars, view.floor) if bars else Markup()


def trade_charts(session: ModelSession, view: FrontierView, lane: Lane) -> list[tuple[str, Markup]]:
    """Return quality against the size of the file and against the decode rate, with that name."""
    rows = [row for row in session.per_quant if row.adherence_score is not None]
    found = {row.quant_tag: row.artifact.bytes for row in rows if row.artifact.bytes}
    unit, size = (MIB, "MiB") if max(found.values(), default=0) < GIB / 10 else (GIB, "GiB")
    sizes = {quant: count / unit for quant, count in found.items()}
    rates = {
        row.quant_tag: row.generation_tokens_per_second
        for row in rows
        if row.generation_tokens_per_second
    }
    note = " (no evidence in lane ci)" if lane is Lane.CI else ""
    charts = (
        ("size of the file", sizes, size, False),
        ("decode rate", rates, f"decode t/s{note}", True),
    )
    return [
        (what, chart)
        for what, values, x_name, more in charts
        if len(values) > 1
        and (
            chart := point_chart(
                f"{session.model_id}: adherence against the {what}, with the Pareto line",
                _points(session, values, more),
                x_name,
                _SHARE,
                more_x_is_better=more,
                limit=view.floor,
            )
        )
    ]


def ranking_chart(ranking: Ranking) -> Markup:
    """Return all models: adherence against what has to fit into memory."""
    cells = [cell for cell in ranking.cells if cell.memory_mib]
    merits = [(cell.adherence, -(cell.memory_mib or 0.0)) for cell in cells]
    points = [
        Point(
            cell.name,
            (cell.memory_mib or 0.0) / MIB_PER_GIB,
            cell.adherence,
            kind="pick" if front else "ok",
            front=front,
        )
        for cell, front in zip(cells, undominated(merits), strict=True)
    ]
    name = "All models: adherence against peak memory, with the Pareto line"
    return point_chart(name, points, "peak memory, GiB", _SHARE, more_x_is_better=False)


def fidelity_chart(session: ModelSession) -> Markup:
    """Return the share of answers that are the baseline's; `""` without any."""
    bars = [
        Bar(
            f"{it.quant_tag}, again" if it.quant_tag == it.baseline_quant else it.quant_tag,
            rate,
            it.agreement.same_answer_low,
            it.agreement.same_answer_high,
            "base" if it.quant_tag == it.baseline_quant else "ok",
        )
        for it in session.fidelity
        if (rate := it.agreement.same_answer_rate) is not None
    ]
    name = f"{session.model_id}: share of answers that are those of {session.baseline_quant}"
    return interval_chart(name, bars) if bars else Markup()


def context_chart(ceiling: ContextCeiling) -> Markup:
    """Return the adherence by context, with its bounds."""
    points = [
        Point(
            str(it.context),
            it.context,
            it.adherence_score,
            it.adherence_low,
            it.adherence_high,
            "ok" if it.passed else "off",
        )
        for it in ceiling.points
        if it.adherence_score is not None
    ]
    least = ceiling.thresholds.adherence_min
    return point_chart(
        f"{ceiling.model_id} {ceiling.quant_tag}: adherence by context",
        points,
        "context, tokens",
        _SHARE,
        joined=True,
        limit=least if least > 0 else None,
    )


def quants_chart(found: ContextQuants) -> Markup:
    """Return the adherence of each quant by context, one line per quant."""
    least = found.thresholds.adherence_min
    return point_chart(
        f"{found.model_id}: adherence by context, one line per quant",
        [
            Point(
                f"{quant.quant_tag} at {it.context}",
                it.context * _APART**place,
                it.adherence_score,
                it.adherence_low,
                it.adherence_high,
                "base" if quant.quant_tag == found.baseline_quant else "ok",
                line=quant.quant_tag,
            )
            for place, quant in enumerate(found.quants)
            for it in quant.points
            if it.adherence_score is not None
        ],
        "context, tokens; quants side by side",
        _SHARE,
        joined=True,
        limit=least if least > 0 else None,
    )


def thermal_chart(profile: ThermalProfile) -> Markup:
    """Return the decode rate of each run of the series; `""` without any."""
    runs = profile.speed.runs if profile.speed else ()
    return point_chart(
        f"{profile.model_id} {profile.quant_tag}: decode rate of each run, t/s",
        [
            Point(
                f"run {it.run_index}",
                it.run_index,
                it.decode_tps,
                kind="ok" if it.counted else "off",
            )
            for it in runs
            if it.decode_tps is not None
        ],
        "run",
        "{:.4g}".format,
        joined=True,
    )


def _points(
    session: ModelSession, values: dict[str, float], more_is_better: bool
) -> Sequence[Point]:
    rows = [row for row in session.per_quant if row.quant_tag in values]
    sign = 1 if more_is_better else -1
    merits = [(row.adherence_score or 0.0, sign * values[row.quant_tag]) for row in rows]
    return [
        Point(
            row.quant_tag,
            values[row.quant_tag],
            row.adherence_score or 0.0,
            *adherence_interval(row),
            _kind(row, session),
            front,
        )
        for row, front in zip(rows, undominated(merits), strict=True)
    ]


def _kind(row: SummaryRow, session: ModelSession) -> str:
    if session.decision and row.quant_tag == session.decision.pick:
        return "pick"
    if not row.quality_valid:
        return "off"
    return "base" if row.quant_tag == session.baseline_quant else "ok"
