"""The plan of a resolved sweep: what would be served, measured and written, and what that needs."""

from __future__ import annotations

from pathlib import Path

from orket_lib import __version__
from orket_lib.artifacts.base import InputFile, Provenance
from orket_lib.artifacts.plan import (
    Plan,
    PlannedCanary,
    PlannedCell,
    PlannedSidecar,
    PlannedTasks,
)
from orket_lib.artifacts.preflight import Needs
from orket_lib.artifacts.serving import Place
from orket_lib.config.capabilities import RUNNER_REFUSAL
from orket_lib.config.model import SweepConfig
from orket_lib.config.resolve import Cell, Sweep
from orket_lib.config.sidecars import find_sidecar
from orket_lib.vocabulary.clock import utc_now


def make_plan(sweep: Sweep, commit_sha: str | None, dirty: bool | None) -> Plan:
    """Return the plan; looks only at which measurements are already in storage."""
    config = sweep.config
    tasks = sweep.cells[0].spec.tasks
    return Plan(
        generated_at=utc_now(),
        provenance=Provenance(
            ref=config.provenance_ref,
            commit_sha=commit_sha,
            dirty=dirty,
            config_sha256=sweep.config_sha256,
            inputs=_inputs(sweep),
            versions={"orket-quant-sweep": __version__},
        ),
        sweep=config.sweep,
        commit_sha=commit_sha,
        dirty=dirty,
        provenance_ref=config.provenance_ref,
        provider=config.provider,
        machine=sweep.machine,
        models=config.models,
        quants=config.quants,
        cells=tuple(map(_planned, sweep.cells)),
        task_bank=PlannedTasks(path=config.task_bank, sha256=tasks.sha256, tasks=len(sweep.tasks)),
        experimental_controls=sweep.cells[0].spec.controls,
        canary=_canary(config),
        row_quality_policy=config.row_policy,
        hardware_sidecar=_sidecar(config),
        execution_lane=config.execution_lane,
        vram_profile=config.vram_profile,
        adherence_threshold=config.adherence_threshold,
        latency_ceiling=config.latency_ceiling,
        include_invalid=config.include_invalid,
        kpi_policy=config.kpi_policy,
        runs_per_quant=config.runs_per_quant,
        expected_runs=len(sweep.cells) * len(sweep.tasks) * config.runs_per_quant,
        summary_path=f"{sweep.results}/quant_sweep/sweep_summary.json",
        report_path=f"{sweep.results}/quant_sweep/sweep_report.md",
        warnings=sweep.warnings,
    )


def needs(sweep: Sweep) -> Needs:
    """Return what must be there before anything is measured."""
    config = sweep.config
    refusals = []
    if config.runner_template:
        refusals.append(RUNNER_REFUSAL)
    files = {cell.path.as_posix() for cell in sweep.cells if cell.path}
    return Needs(files=tuple(sorted(files)), refusals=tuple(refusals))


def place(config: SweepConfig) -> Place:
    """Return where the models are served."""
    return Place(
        base_url=config.base_url,
        api_key=config.api_key,
        exclusive=config.exclusive,
        server_binary=config.server_binary if config.starts_server else None,
    )


def _canary(config: SweepConfig) -> PlannedCanary:
    policy = config.canary_policy
    return PlannedCanary(
        enabled=policy.enabled,
        runs=config.canary_runs,
        task_limit=config.canary_task_limit,
        task_id_min=config.canary_task_id_min,
        task_id_max=config.canary_task_id_max,
        latency_variance_threshold=policy.latency_variance_threshold,
        drop_first_run=policy.drop_first_run,
        max_missing_telemetry_rate=policy.max_missing_telemetry_rate,
        scope=config.canary_scope,
        max_age_hours=policy.max_age_hours,
    )


def _sidecar(config: SweepConfig) -> PlannedSidecar:
    sidecar = find_sidecar(config)
    if sidecar is None:
        timeout_sec = config.hardware_sidecar_timeout_sec
        return PlannedSidecar(enabled=False, profile=None, template=None, timeout_sec=timeout_sec)
    return PlannedSidecar(
        enabled=True,
        profile=sidecar.profile,
        template=sidecar.template,
        timeout_sec=sidecar.timeout_sec,
    )


def _planned(cell: Cell) -> PlannedCell:
    run_path = f"{cell.folder}/run.json"
    return PlannedCell(
        model_id=cell.model_id,
        quant_tag=cell.quant_tag,
        artifact=str(cell.named),
        sha256=cell.spec.artifact.sha256,
        pin=cell.spec.artifact.pin,
        spec_digest=cell.digest,
        run_path=run_path,
        measured=Path(run_path).is_file(),
    )


def _inputs(sweep: Sweep) -> tuple[InputFile, ...]:
    """Return the files that the cells are, each once, by the hashes that are known already."""
    known = {cell.path.as_posix(): cell.spec.artifact.sha256 for cell in sweep.cells if cell.path}
    return tuple(
        InputFile(path=path, sha256=sha256) for path, sha256 in sorted(known.items()) if sha256
    )
