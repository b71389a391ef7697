"""The operator report as Markdown: what to run, why, and how far to trust it."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from orket_lib.analysis.frontier import memory_mib
from orket_lib.analysis.rows.quality import pollutes
from orket_lib.artifacts.views.summary import (
    CanaryDrift,
    ModelSession,
    StabilityKpis,
    Summary,
    SummaryRow,
)
from orket_lib.report.formatting import (
    DASH,
    bits,
    escaped,
    figure,
    figures,
    flips,
    p_value,
    ratio,
    shown,
)
from orket_lib.report.sections.batches import adherence_cell, batches_section
from orket_lib.report.sections.context import ContextSection
from orket_lib.report.sections.fidelity import fidelity_section
from orket_lib.report.sections.gpus import gpu_section
from orket_lib.report.sections.missing_numbers import missing_numbers
from orket_lib.report.sections.ranking import ranking_section
from orket_lib.report.sections.rounds import rounds_section
from orket_lib.report.sections.sidecar import sidecar_section
from orket_lib.report.sections.thermal import ThermalSection
from orket_lib.report.sections.verdicts import failures_word, verdict_section
from orket_lib.report.serving import serving_lines
from orket_lib.report.views import FrontierView, frontier_view, role_text
from orket_lib.vocabulary.cpu_features import advice
from orket_lib.vocabulary.statuses import Lane

_TEMPLATE = "sweep_report.md.j2"
_KPIS = ("determinism_rate", "missing_telemetry_rate", "polluted_run_rate", "frontier_success_rate")
_AS_ASKED = ("polluted_run_rate_as_asked", "frontier_success_rate_as_asked")
_SCORES = {True: "the same scores", False: "DIFFERENT SCORES than before", None: "no scores"}
_STATES = {True: "uncommitted changes", False: "clean", None: "state unknown"}
_CONDITIONS = (
    ("Provider", "provider"),
    ("Task bank", "task_bank"),
    ("Runs per task", "runs_per_quant"),
    ("Rounds", "rounds"),
    ("Until", "until"),
    ("Budget", "budget"),
    ("Speed probes per quant", "probe_runs"),
    ("Context, tokens", "n_ctx"),
    ("Temperature", "temperature"),
    ("Seed", "seed"),
    ("Threads", "threads"),
    ("CPU affinity", "affinity_policy"),
    ("Warm-up steps at least", "warmup_steps"),
    ("Adherence threshold, ratio of the baseline's", "adherence_threshold"),
    ("Latency ceiling, s", "latency_ceiling"),
    ("Fidelity", "fidelity"),
    ("Rows that are not valid included", "include_invalid"),
)


@dataclass(frozen=True)
class Plot:
    """A picture of the report.

    Attributes:
        title: Alternative text.
        path: Path relative to the report, with `/`.
    """

    title: str
    path: str


def render_markdown(
    summary: Summary,
    plots: Sequence[Plot],
    include_invalid: bool | None = None,
    contexts: Sequence[ContextSection] = (),
    thermal: Sequence[ThermalSection] = (),
) -> str:
    """Return the operator report.

    Args:
        summary: Summary of the sweep.
        plots: Its plots.
        include_invalid: Whether rows that are not valid may have a role in the tables, in this
            view only; None means as in the summary.
        contexts: Context sweeps of its models.
        thermal: Thermal series of its models.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("orket_lib.report"),
        undefined=StrictUndefined,
        # Everything that the template prints is escaped here, so no value can break a table.
        finalize=lambda value: escaped(str(value)),
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    views = [
        frontier_view(session, summary.execution_lane, include_invalid)
        for session in summary.sessions
    ]
    return environment.get_template(_TEMPLATE).render(
        summary=summary,
        sweep=summary.matrix.get("sweep", "unnamed sweep"),
        ci=summary.execution_lane is Lane.CI,
        recomputed=any(view.recomputed for view in views),
        include_invalid=include_invalid,
        models=[
            _model(session, view, summary.execution_lane)
            for session, view in zip(summary.sessions, views, strict=True)
        ],
        serving=[serving_lines(session, summary.matrix) for session in summary.sessions],
        ranking=ranking_section(summary.ranking, summary.execution_lane),
        verdicts=list(map(verdict_section, summary.sessions)),
        fidelity=[part for part in map(fidelity_section, summary.sessions) if part],
        gpus=[part for part in map(gpu_section, summary.sessions) if part],
        sidecars=[part for part in map(sidecar_section, summary.sessions) if part],
        contexts=contexts,
        thermal=thermal,
        batches=[part for part in map(batches_section, summary.sessions) if part],
        rounds=[part for part in map(rounds_section, summary.sessions) if part],
        plots=[{"title": plot.title, "path": quote(plot.path)} for plot in plots],
        canary=_canary(summary),
        drifts=list(map(_drift, summary.canary.drifts)),
        kpis=_kpis(summary.stability_kpis),
        conditions=_conditions(summary),
        environment=_environment(summary.sessions),
        native_build=_native_build(summary.sessions),
        missing=missing_numbers(summary),
    )


def _kpis(kpis: StabilityKpis) -> list[tuple[str, str]]:
    listed = [(name, shown(kpis.reading(name), ratio)) for name in _KPIS]
    asked = {name: getattr(kpis, name) for name in _AS_ASKED}
    return [*listed, *((name, ratio(value)) for name, value in asked.items() if value is not None)]


def _model(session: ModelSession, view: FrontierView, lane: Lane) -> dict[str, Any]:
    families: dict[str, int] = defaultdict(int)
    for item in (item for row in session.per_quant for item in row.adherence_by_family):
        families[item.family] = max(families[item.family], item.tasks)
    return {
        "session": session,
        "quants": [_quant_cells(row, session, view) for row in session.per_quant],
        "tags": [row.quant_tag for row in session.per_quant],
        "families": [
            [f"{name} ({tasks})", *(_family(row, name) for row in session.per_quant)]
            for name, tasks in sorted(families.items())
        ],
        "forms": [shown(row.reading("format_rate"), ratio) for row in session.per_quant],
        "observations": [
            (
                *(row.quant_tag, item.reason, item.severity),
                *("pollutes" if pollutes(item, lane) else "shown only", item.evidence),
            )
            for row in session.per_quant
            for item in (*row.run_quality_reasons, *row.notes)
        ],
    }


def _quant_cells(row: SummaryRow, session: ModelSession, view: FrontierView) -> list[str]:
    return [
        row.quant_tag,
        shown(row.reading("quant_rank"), bits),
        adherence_cell(row, session),
        _against_baseline(row, session),
        *figures(row, "generation_tokens_per_second", "prompt_tokens_per_second"),
        *figures(row, "ttft_ms", "total_latency"),
        shown(memory_mib(row), figure),
        failures_word(row) or DASH,
        "yes" if row.valid else f"no: {'; '.join(row.invalid_because)}",
        role_text(view, row.quant_tag),
    ]


def _against_baseline(row: SummaryRow, session: ModelSession) -> str:
    if row.quant_tag == session.baseline_quant:
        return "baseline"
    found = (item for item in session.comparisons if item.quant_tag == row.quant_tag)
    return next((f"{flips(item)}, {p_value(item.p_value)}" for item in found), DASH)


def _family(row: SummaryRow, name: str) -> str:
    scores = (item.adherence_score for item in row.adherence_by_family if item.family == name)
    return next(map(ratio, scores), DASH)


def _canary(summary: Summary) -> dict[str, str]:
    canary = summary.canary
    variance, cv = canary.adherence_variance, canary.internal_latency_cv
    if not canary.enabled:
        verdict = "Off: the machine was not checked before the sweep."
    elif canary.passed:
        verdict = "Passed."
    elif canary.quality_only:
        why = "; ".join(canary.explanations)
        verdict = (
            f"Failed by latency alone, so quality was measured and speeds were left out: {why}. On "
            "a quiet machine, the same command with `--config again=probes` measures only the "
            "speed probes."
        )
    else:
        verdict = f"FAILED: {', '.join(canary.failed_reasons)}."
    return {
        "verdict": verdict,
        "variance": DASH if variance is None else ratio(variance),
        "cv": DASH if cv is None else figure(cv),
        "limit": figure(canary.latency_variance_threshold),
    }


def _drift(item: CanaryDrift) -> str:
    """Return how a canary changed over the sweep, in one sentence."""
    name = f"{item.model_id} {item.quant_tag}"
    if item.failure is not None:
        return f"{name}: could not be measured after the sweep: {item.failure}"
    answers = _SCORES[item.same_answers]
    if item.drift is None:
        return f"{name}: {answers}; no times to compare ({item.null_reasons['drift']})."
    before, after = (figure(float(it or 0)) for it in (item.opening_seconds, item.closing_seconds))
    return (
        f"{name}: {answers}; latency {item.drift:+.1%} ({before} s at {item.opened_at[:19]}Z, "
        f"{after} s at {item.closed_at[:19]}Z, {p_value(item.p_value or 0)})."
    )


def _condition(key: str, summary: Summary) -> str:
    nothing = {"until": "all tasks are asked", "budget": "none"}.get(key, "default")
    given = summary.matrix[key]
    if isinstance(given, dict):
        given = json.dumps({name: value for name, value in given.items() if value is not None})
    value = nothing if given is None else str(given)
    idle = key == "latency_ceiling" and summary.execution_lane is Lane.CI
    return f"{value} (decides nothing in lane ci)" if idle else value


def _conditions(summary: Summary) -> list[tuple[str, str]]:
    """Return the conditions of the sweep, needed to compare reports."""
    provenance, rows = summary.provenance, [r for s in summary.sessions for r in s.per_quant]
    tasks = max((sum(f.tasks for f in row.adherence_by_family) for row in rows), default=0)
    clocks = sorted({row.rate_source for row in rows if row.rate_source})
    state = _STATES[provenance.dirty]
    listed = [
        ("Machine", summary.hardware_fingerprint or "none: nothing was measured"),
        ("Lane", summary.execution_lane.value),
        ("VRAM profile", summary.vram_profile.value),
        ("Tasks", str(tasks) if tasks else "none graded"),
        *((label, _condition(key, summary)) for label, key in _CONDITIONS if key in summary.matrix),
        ("Clock of the rates", " and ".join(clocks) or "none"),
        ("Config digest", provenance.config_sha256 or "none"),
        ("Commit", f"{provenance.commit_sha} ({state})" if provenance.commit_sha else "none"),
        ("Provenance", provenance.ref),
        ("Summary made at", summary.generated_at),
    ]
    return listed + sorted(provenance.versions.items())


def _environment(sessions: Sequence[ModelSession]) -> list[tuple[str, str]]:
    """Return drivers, clocks and the server's build; if rows differ, each value with its rows."""
    by_name: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    measured = [(session, row) for session in sessions for row in session.per_quant if row.platform]
    for session, row in measured:
        found = row.platform | ({"server_build": row.artifact.build} if row.artifact.build else {})
        for name, value in found.items():
            by_name[name][value].append(f"{session.model_id} {row.quant_tag}")
    return [
        (
            name,
            "; ".join(
                value if len(rows) == len(measured) else f"{value} ({', '.join(rows)})"
                for value, rows in values.items()
            ),
        )
        for name, values in sorted(by_name.items())
    ]


def _native_build(sessions: Sequence[ModelSession]) -> str | None:
    """Return what the embedded llama.cpp left unused of the CPU; None if nothing."""
    rows = [row for session in sessions for row in session.per_quant]
    unused = [name for row in rows for name in row.artifact.unused_cpu_features]
    return advice(dict.fromkeys(unused)) if unused else None
