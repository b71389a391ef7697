"""The report's section on how the sweep was measured: canary, KPIs, conditions, drivers, builds."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence

from orket_lib.artifacts.views.summary import CanaryDrift, ModelSession, StabilityKpis, Summary
from orket_lib.report.formatting import DASH, figure, p_value, ratio, shown
from orket_lib.vocabulary.cpu_features import advice
from orket_lib.vocabulary.statuses import Lane

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


def kpi_lines(kpis: StabilityKpis) -> list[tuple[str, str]]:
    """Return the stability KPIs, each with its value."""
    listed = [(name, shown(kpis.reading(name), ratio)) for name in _KPIS]
    asked = {name: getattr(kpis, name) for name in _AS_ASKED}
    return [*listed, *((name, ratio(value)) for name, value in asked.items() if value is not None)]


def canary_words(summary: Summary) -> dict[str, str]:
    """Return the verdict on the machine before the sweep, with its figures."""
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


def drift_sentence(item: CanaryDrift) -> str:
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


def conditions(summary: Summary) -> list[tuple[str, str]]:
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


def environment(sessions: Sequence[ModelSession]) -> list[tuple[str, str]]:
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


def unused_features(sessions: Sequence[ModelSession]) -> str | None:
    """Return what the embedded llama.cpp left unused of the CPU; None if nothing."""
    rows = [row for session in sessions for row in session.per_quant]
    unused = [name for row in rows for name in row.artifact.unused_cpu_features]
    return advice(dict.fromkeys(unused)) if unused else None
