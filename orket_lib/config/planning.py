"""The plan of a resolved sweep: what would be served, measured and written."""

from __future__ import annotations

from pathlib import Path

from orket_lib.artifacts.plan import Plan, PlannedCanary, PlannedCell, PlannedTasks
from orket_lib.config.resolve import Cell, Sweep


def make_plan(sweep: Sweep, commit_sha: str | None, dirty: bool | None) -> Plan:
    """Return the plan; looks only at which measurements are already in storage."""
    config = sweep.config
    return Plan(
        sweep=config.sweep,
        commit_sha=commit_sha,
        dirty=dirty,
        provenance_ref=config.provenance_ref,
        provider=config.provider,
        machine=sweep.machine,
        models=config.models,
        quants=config.quants,
        cells=tuple(map(_planned, sweep.cells)),
        task_bank=PlannedTasks(
            path=config.task_bank,
            sha256=sweep.cells[0].spec.tasks.sha256,
            tasks=len(sweep.tasks),
        ),
        experimental_controls=sweep.cells[0].spec.controls,
        canary=PlannedCanary(
            enabled=config.canary_runs > 0,
            runs=config.canary_runs,
            task_limit=config.canary_task_limit,
            task_id_min=config.canary_task_id_min,
            task_id_max=config.canary_task_id_max,
            policy=config.canary_policy,
        ),
        row_quality_policy=config.row_policy,
        execution_lane=config.execution_lane,
        vram_profile=config.vram_profile,
        adherence_threshold=config.adherence_threshold,
        latency_ceiling=config.latency_ceiling,
        include_invalid=config.include_invalid,
        runs_per_quant=config.runs_per_quant,
        expected_runs=len(sweep.cells) * len(sweep.tasks) * config.runs_per_quant,
        summary_path=f"{sweep.results}/quant_sweep/sweep_summary.json",
        report_path=f"{sweep.results}/quant_sweep/sweep_report.md",
    )


def _planned(cell: Cell) -> PlannedCell:
    run_path = f"{cell.folder}/run.json"
    return PlannedCell(
        model_id=cell.model_id,
        quant_tag=cell.quant_tag,
        artifact=cell.path.as_posix(),
        sha256=cell.spec.artifact.sha256,
        spec_digest=cell.digest,
        run_path=run_path,
        measured=Path(run_path).is_file(),
    )
