"""From a config to cells with specs: the one place where a label becomes something that is served.

Every (model, quant) is resolved to one file with its SHA-256 (trap T1) before anything runs; a file
that is missing is a config error that names every missing file at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from orket_lib.artifacts.canonical import sha256_of
from orket_lib.artifacts.spec import (
    ArtifactIdentity,
    CanarySpec,
    ControlSettings,
    MeasurementSpec,
    RunSpec,
)
from orket_lib.config.hashes import HashCache
from orket_lib.config.model import SweepConfig
from orket_lib.tasks.bank import Task, TaskBank, load_bank, select, selection
from orket_lib.vocabulary.errors import ArtifactError, ConfigError
from orket_lib.vocabulary.slugs import slug


@dataclass(frozen=True)
class Cell:
    """One (model, quant): what serves it and what its measurement depends on."""

    model_id: str
    quant_tag: str
    path: Path
    spec: RunSpec

    @property
    def model_slug(self) -> str:
        """The model's folder name."""
        return slug(self.model_id)

    @property
    def digest(self) -> str:
        """The digest of the cell's spec."""
        return self.spec.digest()

    @property
    def folder(self) -> str:
        """The folder of the cell's measurement, with forward slashes."""
        return f"storage/runs/{self.model_slug}/{self.quant_tag}/{self.digest}"


@dataclass(frozen=True)
class Sweep:
    """A config, resolved: immutable, and all that the workflow needs to know."""

    config: SweepConfig
    bank: TaskBank
    tasks: tuple[Task, ...]
    cells: tuple[Cell, ...]
    canary: CanarySpec | None
    canary_path: Path | None
    machine: str

    @property
    def results(self) -> str:
        """The folder of the sweep's views."""
        return f"results/{self.config.sweep}"

    @property
    def config_sha256(self) -> str:
        """Digest of the resolved config, for provenance."""
        return sha256_of(self.config.model_dump(mode="json"))


def resolve(config: SweepConfig, hashes: HashCache, machine: str) -> Sweep:
    """Return the sweep that a config means.

    Args:
        config: The checked config.
        hashes: Where file hashes come from.
        machine: Fingerprint of this machine, used where the config names none.

    Raises:
        ConfigError: The task bank, a task selection or a model file is not there.
    """
    try:
        bank = load_bank(Path(config.task_bank))
    except ArtifactError as error:
        raise ConfigError([f"task_bank: {error}"]) from None
    tasks = select(bank.tasks, config.task_limit, config.task_id_min, config.task_id_max)
    canary_tasks = select(
        bank.tasks, config.canary_task_limit, config.canary_task_id_min, config.canary_task_id_max
    )
    paths, problems = _locate(config)
    problems += _selection_problems(config, bank, bool(tasks), bool(canary_tasks))
    if problems:
        raise ConfigError(problems)
    pairs = list(paths)

    def base(pair: tuple[str, str], chosen: tuple[Task, ...]) -> MeasurementSpec:
        return MeasurementSpec(
            model_id=pair[0],
            quant_tag=pair[1],
            provider=config.provider,
            provider_version=_runtime_version(),
            artifact=ArtifactIdentity(sha256=hashes.sha256(paths[pair])),
            n_ctx=config.n_ctx,
            temperature=config.temperature,
            max_output_tokens=config.max_output_tokens,
            task_timeout_sec=config.task_timeout_sec,
            controls=ControlSettings(
                seed=config.seed,
                threads=config.threads,
                affinity_policy=config.affinity_policy,
                warmup_steps=config.warmup_steps,
            ),
            tasks=selection(bank, chosen),
            machine=config.machine or machine,
        )

    def cell(pair: tuple[str, str]) -> Cell:
        fields = base(pair, tasks).model_dump()
        spec = RunSpec(**fields, runs_per_task=config.runs_per_quant, probe_runs=config.probe_runs)
        return Cell(model_id=pair[0], quant_tag=pair[1], path=paths[pair], spec=spec)

    canary = None
    if config.canary_runs:
        canary = CanarySpec(**base(pairs[0], canary_tasks).model_dump(), runs=config.canary_runs)
    return Sweep(
        config=config,
        bank=bank,
        tasks=tasks,
        cells=tuple(map(cell, pairs)),
        canary=canary,
        canary_path=paths[pairs[0]] if canary else None,
        machine=config.machine or machine,
    )


def _locate(config: SweepConfig) -> tuple[dict[tuple[str, str], Path], list[str]]:
    """Return each cell's file, and a line for each cell that has none."""
    paths, problems = {}, []
    for model in config.models:
        for quant in config.quants:
            path = _path_of(config, model, quant)
            if path is None:
                problems.append(
                    f"artifacts.{model}.{quant}: no file named; set artifact_template or artifacts"
                )
            elif not path.is_file():
                problems.append(f"artifacts.{model}.{quant}: there is no file {path.as_posix()}")
            else:
                paths[model, quant] = path
    return paths, problems


def _path_of(config: SweepConfig, model: str, quant: str) -> Path | None:
    """Return the file that the config names for a cell; the table wins over the template."""
    named = config.artifacts.get(model, {}).get(quant)
    if named is None and config.artifact_template is not None:
        named = (
            config.artifact_template.replace("{model}", model)
            .replace("{slug}", slug(model))
            .replace("{quant}", quant)
        )
    return Path(named).expanduser() if named else None


def _selection_problems(
    config: SweepConfig, bank: TaskBank, any_task: bool, any_canary_task: bool
) -> list[str]:
    ids = f"{config.task_bank} has ids {bank.tasks[0].id} to {bank.tasks[-1].id}"
    problems = []
    if not any_task:
        problems.append(f"task_id_min, task_id_max: no task is selected; {ids}")
    if config.canary_runs and not any_canary_task:
        problems.append(f"canary_task_id_min, canary_task_id_max: no task is selected; {ids}")
    return problems


def _runtime_version() -> str | None:
    """Return the embedded runtime's version; another one is another thing to measure."""
    try:
        return version("xllamacpp")
    except PackageNotFoundError:
        return None
