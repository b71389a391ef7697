"""The plan as a person reads it."""

from __future__ import annotations

from orket_lib.artifacts.plan import Plan


def plan_text(plan: Plan) -> str:
    """Return the plan as text, one fact per line, then one line per cell."""
    controls = plan.experimental_controls
    canary, policy = plan.canary, plan.canary.policy
    waiting = sum(not cell.measured for cell in plan.cells)
    lines = [
        f"plan of sweep `{plan.sweep}`",
        f"  commit_sha             {plan.commit_sha or 'none'}{' (dirty)' if plan.dirty else ''}",
        f"  provider               {plan.provider}",
        f"  machine                {plan.machine}",
        f"  models                 {', '.join(plan.models)}",
        f"  quants                 {', '.join(plan.quants)}",
        f"  task_bank              {plan.task_bank.path}: {plan.task_bank.tasks} tasks, "
        f"sha256 {plan.task_bank.sha256[:12]}",
        f"  experimental_controls  seed {_shown(controls.seed)}, "
        f"threads {_shown(controls.threads)}, affinity_policy {controls.affinity_policy}, "
        f"warmup_steps {controls.warmup_steps}",
        "  canary                 "
        + (
            f"{canary.runs} runs of {canary.task_limit} task(s), latency variance <= "
            f"{policy.latency_variance_threshold:g}"
            if canary.enabled
            else "off"
        ),
        f"  lane, vram profile     {plan.execution_lane.value}, {plan.vram_profile.value}",
        f"  frontier               adherence >= {plan.adherence_threshold:g} x baseline, "
        f"latency <= {plan.latency_ceiling:g} s"
        + (", invalid rows included" if plan.include_invalid else ""),
        f"  work                   {plan.expected_runs} graded runs in {len(plan.cells)} cells, "
        f"{waiting} of them not measured yet",
        f"  report                 {plan.report_path}",
    ]
    for cell in plan.cells:
        state = "measured" if cell.measured else "to be measured"
        lines.append(f"    {cell.model_id} {cell.quant_tag:<8} {cell.artifact}  ({state})")
    return "\n".join(lines)


def _shown(value: object) -> str:
    return "default" if value is None else str(value)
