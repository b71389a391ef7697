"""The plan of a sweep as text."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from orket_lib.analysis.verdict.kept_or_lost import CERTAIN
from orket_lib.analysis.verdict.looks import EARLY
from orket_lib.analysis.verdict.power import can_decide
from orket_lib.artifacts.views.context_summary import ContextSettings
from orket_lib.artifacts.views.plan import (
    Plan,
    PlannedCanary,
    PlannedCell,
    PlannedFidelity,
    PlannedServing,
    PlannedSidecar,
    PlannedThermal,
)
from orket_lib.preflight.memory_profiles import FREE_SHARE
from orket_lib.report.formatting import aligned
from orket_lib.vocabulary.cpu_features import NATIVE_BUILD, native_server, what_is_unused
from orket_lib.vocabulary.statuses import VramGuard
from orket_lib.vocabulary.units import counted, duration


def plan_text(plan: Plan) -> str:
    """Return the plan: one setting per line, then one line per cell."""
    controls, policy = plan.experimental_controls, plan.row_quality_policy
    waiting = sum(not cell.measured for cell in plan.cells)
    facts = {
        "commit_sha": f"{plan.commit_sha or 'none'}{' (dirty)' if plan.dirty else ''}",
        "provider": plan.provider,
        "machine": plan.machine,
        "models": ", ".join(plan.models),
        "quants": ", ".join(plan.quants),
        "task_bank": f"{plan.task_bank.path}: {counted(plan.task_bank.tasks, 'task')}, "
        f"sha256 {plan.task_bank.sha256[:12]}",
        "serving": _serving(plan.serving),
        "experimental_controls": f"seed {_shown(controls.seed)}, "
        f"threads {_threads(plan)}, affinity_policy {controls.affinity_policy}, "
        f"warmup_steps {controls.warmup_steps}",
        "runner": shlex.join(plan.runner) if plan.runner else "off",
        "canary": _canary(plan.canary),
        "row_quality_policy": f"missing telemetry <= {policy.max_missing_telemetry_rate:g}, "
        f"overhead <= {policy.max_orchestration_overhead_ratio:g}, "
        f"cpu saturation <= {policy.max_cpu_saturation_rate:g}, "
        f"system load <= {policy.max_system_load_rate:g}",
        "hardware_sidecar": _sidecar(plan.hardware_sidecar),
        "context_sweep": _contexts(plan.context_sweep),
        "thermal": _thermal(plan.thermal),
        **({"fidelity": _fidelity(plan.kld, len(plan.cells))} if plan.kld else {}),
        "lane, vram profile": f"{plan.execution_lane.value}, {plan.vram_profile.value}: a model "
        f"may take {FREE_SHARE[plan.vram_profile]:.0%} of the free memory, the preflight "
        f"{'warns of' if plan.vram_guard is VramGuard.WARN else 'refuses'} more",
        "recommendation": _recommendation(plan),
        "kpi_policy": plan.kpi_policy,
        **_cpu_features(plan.unused_cpu_features),
        "runs": f"{plan.runs_per_quant} of each task{_rounds(plan.rounds)}: "
        f"{'at most ' if plan.batch_ends else ''}{counted(plan.expected_runs, 'graded run')} in "
        f"{counted(len(plan.cells), 'cell')}, {waiting} of them still to be measured",
        "batches": _batches(plan),
        "can decide": can_decide(
            plan.batch_ends or [plan.task_bank.tasks], plan.adherence_threshold
        ),
        "takes": _takes(plan),
        "summary": plan.summary_path,
        "report": plan.report_path,
    }
    return "\n".join(
        [
            f"plan of sweep `{plan.sweep}`",
            *aligned(facts.items(), indent=2),
            *aligned(map(_cell, plan.cells), indent=4),
        ]
    )


def _cpu_features(unused: Sequence[str]) -> dict[str, str]:
    if not unused:
        return {}
    return {
        "cpu features": what_is_unused(unused),
        "  to build one": NATIVE_BUILD,
        "  in the config": native_server(),
    }


def _recommendation(plan: Plan) -> str:
    wants = "".join(f", {name.value} {value:g}" for name, value in plan.wants.items())
    return (
        f"the {plan.prefer.value} quant with adherence >= {plan.adherence_threshold:g} x baseline, "
        f"latency <= {plan.latency_ceiling:g} s{wants}"
        + (", invalid rows included" if plan.include_invalid else "")
    )


def _threads(plan: Plan) -> str:
    if plan.default_threads is None or plan.experimental_controls.threads is not None:
        return _shown(plan.experimental_controls.threads)
    limits = f"; {', '.join(plan.cpu_limits)}" if plan.cpu_limits else ""
    return f"default ({plan.default_threads}{limits})"


def _serving(serving: PlannedServing | None) -> str:
    if serving is None:
        return "each model has settings of its own"
    context = "the model's own" if serving.n_ctx is None else str(serving.n_ctx)
    return (
        f"n_ctx {context}, temperature {serving.temperature:g}, "
        f"max_output_tokens {serving.max_output_tokens}, "
        f"task_timeout_sec {serving.task_timeout_sec:g}"
        + (f", thinking {serving.thinking}" if serving.thinking != "default" else "")
        + (f", thinking_budget {serving.thinking_budget}" if serving.thinking_budget else "")
    )


def _rounds(rounds: int) -> str:
    return f" x {rounds} rounds, every other one in reverse order" if rounds > 1 else ""


def _batches(plan: Plan) -> str:
    budget = f"; at most {plan.budget} of loading and asking" if plan.budget else ""
    if not plan.batch_ends:
        return "off: every quant is asked all tasks"
    listed = ", ".join(map(str, plan.batch_ends))
    return (
        f"up to {listed} tasks; quants that are decided after a batch are asked no further (needs "
        f"P {EARLY:g}, after the last batch {CERTAIN:g}){budget}"
    )


def _takes(plan: Plan) -> str:
    """Return how long the runs that are still to be measured will take."""
    if plan.expected_seconds is None:
        return "unknown: no cell is measured yet, and the size of the models is unknown"
    if not plan.expected_seconds:
        return "no time: everything is measured"
    most = "at most " if plan.batch_ends else ""
    return f"{most}about {duration(plan.expected_seconds)}, {plan.expected_from}"


def _cell(cell: PlannedCell) -> tuple[str, str, str]:
    return f"{cell.model_id} {cell.quant_tag}", _served(cell), f"({_state(cell)})"


def _served(cell: PlannedCell) -> str:
    made = cell.made_from
    if made is None:
        return cell.artifact
    imatrix = f" (imatrix {made.imatrix.path})" if made.imatrix else ""
    return f"made from {made.base.path}{imatrix}"


def _state(cell: PlannedCell) -> str:
    words = ["measured" if cell.measured else "to be measured"]
    if cell.made_from:
        words.append(f"its sha256 {cell.made_from.base.sha256[:12]}")
    if cell.sha256:
        words.append(f"sha256 {cell.sha256[:12]}")
    if cell.pin:
        words.append(f"pinned {cell.pin[:12]}")
    return ", ".join(words)


def _canary(canary: PlannedCanary) -> str:
    if not canary.enabled:
        return "off"
    low, high = canary.task_id_min, canary.task_id_max
    ids = f" (ids {low or 'first'} to {high or 'last'})" if low or high else ""
    return (
        f"{canary.runs} runs of {counted(canary.task_limit, 'task')}{ids} with "
        f"{'the first model' if canary.scope == 'first' else 'each model'}, "
        f"{'first run dropped, ' if canary.drop_first_run else ''}"
        f"latency variance <= {canary.latency_variance_threshold:g}, "
        f"missing telemetry <= {canary.max_missing_telemetry_rate:g}"
        f"{'; once more after the sweep' if canary.closing else ''}"
        f"{'; too much variance costs only the speeds' if canary.on_latency != 'stop' else ''}"
    )


def _sidecar(sidecar: PlannedSidecar) -> str:
    if not sidecar.enabled:
        return "off"
    command = shlex.join(sidecar.template) if sidecar.template else "our own measurement"
    profile = f"profile {sidecar.profile}: " if sidecar.profile else ""
    return f"{profile}{command}, at most {sidecar.timeout_sec:g} s"


def _contexts(settings: ContextSettings | None) -> str:
    if settings is None:
        return "off"
    fill, limits = settings.fill, settings.thresholds
    tasks = len(fill.families) * len(fill.depths) * fill.tasks_per_depth
    search = ", bisected" if settings.search == "bisect" else ""
    quants = ", ".join(settings.quants) or settings.quant_tag or "the recommended quant"
    return (
        f"{', '.join(map(str, settings.contexts))}{search}, at "
        f"{quants}: {tasks} tasks "
        f"({', '.join(fill.families)}), {fill.share:.0%} of the context filled; "
        f"adherence >= {limits.adherence_min:g}, TTFT <= {limits.ttft_ceiling_ms:g} ms, "
        f"decode >= {limits.decode_floor_tps:g} t/s (0 = no limit)"
    )


def _thermal(thermal: PlannedThermal | None) -> str:
    if thermal is None:
        return "off"
    return (
        f"{thermal.repeats} repeats of {thermal.generations} generations at "
        f"{thermal.quant_tag or 'the recommended quant'}, before each a rest down "
        f"to {thermal.cooldown_target_c:g} °C, at most {thermal.cooldown_timeout_sec:g} s; hot "
        f"above {thermal.polluted_threshold_c:g} °C, heat soak by "
        f"{thermal.monotonic_window} rises in a row"
    )


def _fidelity(kld: PlannedFidelity, quants: int) -> str:
    return (
        f"kld: each quant is loaded once more, and the baseline twice, and asked for one token at "
        f"up to {kld.positions} places of the baseline's answers and of {kld.text}; in all at most "
        f"{(quants + 1) * kld.positions} requests of one token"
    )


def _shown(value: object) -> str:
    return "default" if value is None else str(value)
