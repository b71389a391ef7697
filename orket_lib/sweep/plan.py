"""The plan of a resolved sweep: what would be served, measured and written, and what that needs."""

from __future__ import annotations

from itertools import pairwise

from orket_lib import __version__
from orket_lib.artifacts.base import InputFile, Provenance
from orket_lib.artifacts.measurements.serving import Place
from orket_lib.artifacts.views.plan import (
    MadeFrom,
    Plan,
    PlannedCanary,
    PlannedCell,
    PlannedServing,
    PlannedSidecar,
    PlannedTasks,
    PlannedThermal,
)
from orket_lib.artifacts.views.preflight import QUANTIZE_BINARY, NeededModel, Needs
from orket_lib.config.loading.runner_template import find_runner
from orket_lib.config.model import SweepConfig
from orket_lib.sweep.cells import Cell, Sweep
from orket_lib.sweep.context import find_contexts
from orket_lib.sweep.sidecar import find_sidecar
from orket_lib.tasks.task import needs_sandbox
from orket_lib.vocabulary.clock import utc_now

# How llama-server is told to keep a model off the GPUs.
_NO_OFFLOAD = {
    ("-ngl", "0"),
    ("--gpu-layers", "0"),
    ("--n-gpu-layers", "0"),
    ("-dev", "none"),
    ("--device", "none"),
}


def make_plan(
    sweep: Sweep, commit_sha: str | None, dirty: bool | None, results: str | None = None
) -> Plan:
    """Return the plan; looks only at which measurements are already in storage.

    Args:
        sweep: That is planned.
        commit_sha: Of the working folder.
        dirty: Whether it has uncommitted changes.
        results: Folder of the sweep's views, where it is not the sweep's own.
    """
    config, results = sweep.config, results or sweep.results
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
        serving=PlannedServing(
            n_ctx=config.n_ctx,
            temperature=config.temperature,
            max_output_tokens=config.max_output_tokens,
            task_timeout_sec=config.task_timeout_sec,
        ),
        experimental_controls=sweep.cells[0].spec.controls,
        canary=_canary(config),
        row_quality_policy=config.row_policy,
        runner=_runner(config),
        hardware_sidecar=_sidecar(config),
        context_sweep=find_contexts(config),
        thermal=_thermal(config),
        execution_lane=config.execution_lane,
        vram_profile=config.vram_profile,
        vram_guard=config.vram_guard,
        adherence_threshold=config.adherence_threshold,
        latency_ceiling=config.latency_ceiling,
        include_invalid=config.include_invalid,
        kpi_policy=config.kpi_policy,
        runs_per_quant=config.runs_per_quant,
        rounds=config.rounds,
        expected_runs=(len(sweep.cells) * len(sweep.tasks) * config.runs_per_quant * config.rounds),
        summary_path=f"{results}/quant_sweep/sweep_summary.json",
        report_path=f"{results}/quant_sweep/sweep_report.md",
        warnings=sweep.warnings,
    )


def needs(sweep: Sweep) -> Needs:
    """Return what must be there before anything is measured."""
    config = sweep.config
    return Needs(
        provider=config.provider,
        place=place(config),
        models=tuple(map(_needed, sweep.cells)),
        programs=_programs(sweep),
        n_ctx=config.n_ctx,
        cpu_only=_cpu_only(config),
        gpu_devices=config.gpu_devices,
        vram_profile=config.vram_profile,
        vram_guard=config.vram_guard,
        code_sandbox=config.code_sandbox if any(map(needs_sandbox, sweep.tasks)) else None,
    )


def place(config: SweepConfig) -> Place:
    """Return where the models are served."""
    return Place(
        base_url=config.base_url,
        api_key=config.api_key,
        exclusive=config.exclusive,
        server_binary=config.server_binary if config.starts_server else None,
    )


def _programs(sweep: Sweep) -> dict[str, str]:
    """Return what is started beside the server of our own, by the key that names it."""
    config, programs = sweep.config, {}
    if config.starts_server:
        programs["server_binary"] = config.server_binary
    runner = find_runner(config)
    if runner and "{" not in runner.template[0]:  # else it is another one for each task
        programs["runner_template"] = runner.template[0]
    if any(cell.named.recipe for cell in sweep.cells):
        programs[QUANTIZE_BINARY] = config.quantize_binary
    return programs


def _canary(config: SweepConfig) -> PlannedCanary:
    policy, (first, last) = config.canary_policy, config.canary_task_ids
    return PlannedCanary(
        enabled=policy.enabled,
        runs=config.canary_runs,
        task_limit=config.canary_task_limit,
        task_id_min=first,
        task_id_max=last,
        latency_variance_threshold=policy.latency_variance_threshold,
        drop_first_run=policy.drop_first_run,
        max_missing_telemetry_rate=policy.max_missing_telemetry_rate,
        scope=config.canary_scope,
        max_age_hours=policy.max_age_hours,
        closing=config.canary_closing,
    )


def _runner(config: SweepConfig) -> tuple[str, ...] | None:
    runner = find_runner(config)
    return runner.template if runner else None


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


def _thermal(config: SweepConfig) -> PlannedThermal | None:
    if not config.thermal_repeats:
        return None
    names = PlannedThermal.model_fields
    return PlannedThermal(**{name: getattr(config, f"thermal_{name}") for name in names})


def _cpu_only(config: SweepConfig) -> bool:
    """Tell whether nothing of a model goes to a GPU, as far as the config says so."""
    pairs = set(pairwise(config.server_args)) if config.starts_server else set()
    return config.traits.on_cpu or bool(pairs & _NO_OFFLOAD)


def _needed(cell: Cell) -> NeededModel:
    made = _made(cell)
    return NeededModel(
        model_id=cell.model_id,
        quant_tag=cell.quant_tag,
        file=cell.path.as_posix() if cell.path else None,
        tag=cell.named.tag,
        pin=cell.spec.artifact.pin,
        base=made.base.path if made else None,
        imatrix=made.imatrix.path if made and made.imatrix else None,
    )


def _made(cell: Cell) -> MadeFrom | None:
    """Return what the file of a cell is made from, with the hashes that name its folder."""
    recipe, identity = cell.named.recipe, cell.spec.artifact
    if recipe is None or identity.quantized_from is None:
        return None
    imatrix = None
    if recipe.imatrix and identity.imatrix:
        imatrix = InputFile(path=recipe.imatrix.as_posix(), sha256=identity.imatrix)
    base = InputFile(path=recipe.base.as_posix(), sha256=identity.quantized_from)
    return MadeFrom(base=base, imatrix=imatrix)


def _planned(cell: Cell) -> PlannedCell:
    return PlannedCell(
        model_id=cell.model_id,
        quant_tag=cell.quant_tag,
        artifact=str(cell.named),
        sha256=cell.spec.artifact.sha256,
        pin=cell.spec.artifact.pin,
        made_from=_made(cell),
        spec_digest=cell.digest,
        store=cell.store.folder.as_posix(),
        measured=cell.measured,
    )


def _inputs(sweep: Sweep) -> tuple[InputFile, ...]:
    """Return the files that the cells are or are made from, each once, by the known hashes."""
    known = {cell.path.as_posix(): cell.spec.artifact.sha256 for cell in sweep.cells if cell.path}
    for made in filter(None, map(_made, sweep.cells)):
        known |= {file.path: file.sha256 for file in (made.base, made.imatrix) if file}
    return tuple(
        InputFile(path=path, sha256=sha256) for path, sha256 in sorted(known.items()) if sha256
    )
