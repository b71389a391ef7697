"""The plan of a sweep: what would be served, measured and written, and what it needs."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, pairwise
from typing import Any

from orket_lib import __version__
from orket_lib.artifacts.base import InputFile, Provenance
from orket_lib.artifacts.measurements.serving import Places, ServerLocation
from orket_lib.artifacts.views.plan import (
    MadeFrom,
    Plan,
    PlannedCanary,
    PlannedCell,
    PlannedFidelity,
    PlannedServing,
    PlannedSidecar,
    PlannedTasks,
    PlannedThermal,
)
from orket_lib.artifacts.views.preflight import QUANTIZE_BINARY, NeededModel, Needs, ServerNeeds
from orket_lib.config.loading.command_template import find_runner
from orket_lib.config.model import SweepConfig
from orket_lib.config.sections.fields import from_fields
from orket_lib.config.sections.task_bank import bank_path
from orket_lib.sweep.cells import Cell, Sweep
from orket_lib.sweep.context import find_contexts
from orket_lib.sweep.fidelity import find_next_tokens
from orket_lib.sweep.sidecar import find_sidecar
from orket_lib.tasks.task import needs_sandbox
from orket_lib.telemetry.allowance.cpus import cpu_allowance
from orket_lib.vocabulary.clock import utc_now
from orket_lib.vocabulary.providers import remote_host
from orket_lib.vocabulary.statuses import Again
from orket_lib.vocabulary.units import cpus_of

# Arguments that keep a model off the GPUs.
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
    """Return the plan; reads only which measurements are in the store.

    Args:
        sweep: The sweep.
        commit_sha: Of the working folder.
        dirty: Whether it has uncommitted changes.
        results: Folder of the sweep's views, if not the default.
    """
    config, results = sweep.config, results or sweep.results
    asked, runner = sweep.cells[0].spec, find_runner(config)
    return from_fields(
        Plan,
        config,
        generated_at=utc_now(),
        provenance=Provenance(
            ref=config.provenance_ref,
            commit_sha=commit_sha,
            dirty=dirty,
            config_sha256=sweep.config_sha256,
            inputs=_inputs(sweep),
            versions={"orket-quant-sweep": __version__},
        ),
        commit_sha=commit_sha,
        dirty=dirty,
        provider=", ".join(dict.fromkeys(view.provider for _, view in config.views)),
        machine=sweep.machine,
        cells=tuple(_planned(cell, results, config.again) for cell in sweep.cells),
        task_bank=PlannedTasks(
            path=bank_path(config.task_bank), sha256=asked.tasks.sha256, tasks=len(sweep.tasks)
        ),
        serving=_serving(config),
        experimental_controls=asked.controls,
        **_cpus_here(sweep),
        canary=from_fields(
            PlannedCanary,
            config,
            "canary_",
            enabled=config.canary_policy.enabled,
            task_id_min=config.canary_task_ids[0],
            task_id_max=config.canary_task_ids[1],
        ),
        row_quality_policy=config.row_policy,
        runner=runner.template if runner else None,
        hardware_sidecar=_sidecar(config),
        context_sweep=find_contexts(config),
        thermal=(
            from_fields(PlannedThermal, config, "thermal_") if config.thermal_repeats else None
        ),
        kld=_fidelity(config),
        batch_ends=tuple(accumulate(len(batch.ids) for batch in sweep.cells[0].batches)),
        expected_runs=config.rounds * sum(len(list(it.spec.asked())) for it in sweep.cells),
        summary_path=f"{results}/quant_sweep/sweep_summary.json",
        report_path=f"{results}/quant_sweep/sweep_report.md",
        warnings=sweep.warnings,
    )


def _serving(config: SweepConfig) -> PlannedServing | None:
    """Return the settings of serving; None if models have different ones."""
    first, *others = (from_fields(PlannedServing, view) for _, view in config.views)
    return first if all(it == first for it in others) else None


def _cpus_here(sweep: Sweep) -> dict[str, Any]:
    """Return what a server that the sweep starts on this machine may use of its CPUs."""
    controls = sweep.cells[0].spec.controls
    views = [view for _, view in sweep.config.views]
    here = sweep.config.machine is None and all(remote_host(it.base_url) is None for it in views)
    if not here or not any(view.traits.starts_server(view.base_url) for view in views):
        return {}
    found = cpu_allowance(among=cpus_of(controls.affinity_policy))
    return {
        "default_threads": None if controls.threads else found.threads,
        "cpu_limits": found.limits,
    }


def needs(sweep: Sweep) -> Needs:
    """Return what must exist before anything is measured."""
    config = sweep.config
    first, *others = (
        from_fields(
            ServerNeeds,
            view,
            place=_location(view),
            models=tuple(map(_needed, cells)),
            programs=_programs(view, cells),
            cpu_only=cpu_only(view),
            code_sandbox=config.code_sandbox if any(map(needs_sandbox, sweep.tasks)) else None,
        )
        for _, view in config.views
        if (cells := [it for it in sweep.cells if it.model_id in view.models])
    )
    return Needs(**dict(first), others=tuple(others))


def place(config: SweepConfig) -> Places:
    """Return where the models are served."""
    own = {view.models[0]: _location(view) for prefix, view in config.views if prefix}
    return Places(shared=_location(config), own=own)


def _location(config: SweepConfig) -> ServerLocation:
    return from_fields(
        ServerLocation, config, server_binary=config.server_binary if config.starts_server else None
    )


def _programs(config: SweepConfig, cells: Sequence[Cell]) -> dict[str, str]:
    """Return the programs that are started for some cells, by the key that names them."""
    programs = {}
    if config.starts_server:
        programs["server_binary"] = config.server_binary
    runner = find_runner(config)
    if runner and "{" not in runner.template[0]:  # else it differs between tasks
        programs["runner_template"] = runner.template[0]
    if any(cell.model.recipe for cell in cells):
        programs[QUANTIZE_BINARY] = config.quantize_binary
    return programs


def _sidecar(config: SweepConfig) -> PlannedSidecar:
    sidecar = find_sidecar(config)
    if sidecar is None:
        timeout_sec = config.hardware_sidecar_timeout_sec
        return PlannedSidecar(enabled=False, profile=None, template=None, timeout_sec=timeout_sec)
    return from_fields(PlannedSidecar, sidecar, enabled=True)


def _fidelity(config: SweepConfig) -> PlannedFidelity | None:
    found = find_next_tokens(config)
    if found is None:
        return None
    return PlannedFidelity(text=found.text, positions=found.sample.positions)


def cpu_only(config: SweepConfig) -> bool:
    """Tell whether the config keeps models off the GPUs."""
    pairs = set(pairwise(config.server_args)) if config.starts_server else set()
    return config.traits.on_cpu or bool(pairs & _NO_OFFLOAD)


def _needed(cell: Cell) -> NeededModel:
    made = _made(cell)
    return NeededModel(
        model_id=cell.model_id,
        quant_tag=cell.quant_tag,
        file=cell.path.as_posix() if cell.path else None,
        tag=cell.model.tag,
        pin=cell.spec.artifact.pin,
        base=made.base.path if made else None,
        imatrix=made.imatrix.path if made and made.imatrix else None,
    )


def _made(cell: Cell) -> MadeFrom | None:
    """Return what the file of a cell is made from, with hashes."""
    recipe, identity = cell.model.recipe, cell.spec.artifact
    if recipe is None or identity.quantized_from is None:
        return None
    imatrix = None
    if recipe.imatrix and identity.imatrix:
        imatrix = InputFile(path=recipe.imatrix.as_posix(), sha256=identity.imatrix)
    base = InputFile(path=recipe.base.as_posix(), sha256=identity.quantized_from)
    return MadeFrom(base=base, imatrix=imatrix)


def _planned(cell: Cell, results: str, again: Again | None) -> PlannedCell:
    return PlannedCell(
        model_id=cell.model_id,
        quant_tag=cell.quant_tag,
        artifact=str(cell.model),
        sha256=cell.spec.artifact.sha256,
        pin=cell.spec.artifact.pin,
        made_from=_made(cell),
        spec_digest=cell.digest,
        store=cell.store.folder.as_posix(),
        measured=cell.measured(results, again),
    )


def _inputs(sweep: Sweep) -> tuple[InputFile, ...]:
    """Return the model files of the sweep and what they are made from, each once."""
    known = {cell.path.as_posix(): cell.spec.artifact.sha256 for cell in sweep.cells if cell.path}
    for made in filter(None, map(_made, sweep.cells)):
        known |= {file.path: file.sha256 for file in (made.base, made.imatrix) if file}
    return tuple(
        InputFile(path=path, sha256=sha256) for path, sha256 in sorted(known.items()) if sha256
    )
