"""The report as one HTML page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from orket_lib.analysis.wants.answer import answers
from orket_lib.artifacts.printed.flips import ModelFlips
from orket_lib.artifacts.views.context_ceiling import ContextCeiling, ContextQuants
from orket_lib.artifacts.views.summary import ModelSession, Summary
from orket_lib.artifacts.views.thermal_profile import ThermalProfile
from orket_lib.report.formatting import cpu_name, ratio, shown
from orket_lib.report.page import charts
from orket_lib.report.page.broken import broken_tasks
from orket_lib.report.page.card import card_of
from orket_lib.report.page.shell import rendered
from orket_lib.report.sections import conditions, thinking
from orket_lib.report.sections.batches import batches_section
from orket_lib.report.sections.context import context_section
from orket_lib.report.sections.context_quants import quants_section
from orket_lib.report.sections.fidelity import fidelity_section
from orket_lib.report.sections.gpus import gpu_section
from orket_lib.report.sections.missing_numbers import missing_numbers
from orket_lib.report.sections.quants import QUANT_COLUMNS, family_rows, observations, quant_cells
from orket_lib.report.sections.ranking import ranking_section
from orket_lib.report.sections.rounds import rounds_section
from orket_lib.report.sections.sidecar import sidecar_section
from orket_lib.report.sections.thermal import thermal_section
from orket_lib.report.sections.variants import variant_section
from orket_lib.report.sections.verdicts import verdict_section, wants_section
from orket_lib.report.views import FrontierView, frontier_view
from orket_lib.vocabulary.statuses import Lane


def render_page(
    summary: Summary,
    include_invalid: bool | None = None,
    contexts: Sequence[ContextCeiling] = (),
    thermal: Sequence[ThermalProfile] = (),
    flips: Sequence[ModelFlips] = (),
    context_quants: Sequence[ContextQuants] = (),
) -> str:
    """Return the page.

    Args:
        summary: Summary of the sweep.
        include_invalid: Whether rows that are not valid may have a role in the tables, in this
            view only; None means as in the summary.
        contexts: Context sweeps of its models.
        thermal: Thermal series of its models.
        flips: What breaks; without it, the page says how to see that.
        context_quants: The contexts of all quants of its models.
    """
    lane = summary.execution_lane
    views = [frontier_view(session, lane, include_invalid) for session in summary.sessions]
    wanted = {it.model_id: it for it in answers(summary, contexts)}
    models = [
        _model(session, view, summary, contexts, thermal, flips)
        | {
            "wants": wants_section(session, wanted.get(session.model_id)),
            "context_quants": [
                (quants_section(it), charts.quants_chart(it))
                for it in context_quants
                if it.model_id == session.model_id
            ],
        }
        for session, view in zip(summary.sessions, views, strict=True)
    ]
    return rendered(
        "page.html.j2",
        summary=summary,
        sweep=summary.matrix.get("sweep", "unnamed sweep"),
        machine=cpu_name(summary.hardware_fingerprint),
        ci=lane is Lane.CI,
        recomputed=any(view.recomputed for view in views),
        include_invalid=include_invalid,
        models=models,
        columns=QUANT_COLUMNS,
        thinking_columns=thinking.COLUMNS,
        ranking=ranking_section(summary.ranking, lane),
        ranking_chart=charts.ranking_chart(summary.ranking) if summary.ranking else "",
        canary=conditions.canary_words(summary),
        drifts=list(map(conditions.drift_sentence, summary.canary.drifts)),
        kpis=conditions.kpi_lines(summary.stability_kpis),
        conditions=conditions.conditions(summary),
        environment=conditions.environment(summary.sessions),
        unused=conditions.unused_features(summary.sessions),
        missing=missing_numbers(summary),
    )


def _model(
    session: ModelSession,
    view: FrontierView,
    summary: Summary,
    contexts: Sequence[ContextCeiling],
    thermal: Sequence[ThermalProfile],
    flips: Sequence[ModelFlips],
) -> dict[str, Any]:
    name, lane = session.model_id, summary.execution_lane
    ceilings = [it for it in contexts if it.model_id == name]
    series = [it for it in thermal if it.model_id == name]
    flipped = next((it for it in flips if it.model_id == name), None)
    return {
        "name": name,
        "card": card_of(session, summary, ceilings[0] if ceilings else None),
        "quants": [quant_cells(row, session, view) for row in session.per_quant],
        "tags": [row.quant_tag for row in session.per_quant],
        "scores": charts.score_chart(session, view),
        "trades": charts.trade_charts(session, view, lane),
        "floor": view.floor is not None,
        "broken": broken_tasks(flipped, len(summary.sessions)) if flipped else None,
        "verdicts": verdict_section(session),
        "variants": variant_section(session, summary.settings_of(name)),
        "fidelity": fidelity_section(session),
        "same_answers": charts.fidelity_chart(session),
        "contexts": [(context_section(it), charts.context_chart(it)) for it in ceilings],
        "thermal": [(thermal_section(it), charts.thermal_chart(it)) for it in series],
        "families": family_rows(session),
        "forms": [shown(row.reading("format_rate"), ratio) for row in session.per_quant],
        "thinking": thinking.thinking_rows(session),
        "batches": batches_section(session),
        "rounds": rounds_section(session),
        "gpus": gpu_section(session),
        "sidecar": sidecar_section(session),
        "observations": list(observations(session, lane)),
    }
