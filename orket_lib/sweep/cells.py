"""From a config to cells with specs: the one place where a label becomes something that is served.

Every (model, quant) is resolved to one file with its SHA-256, or to one tag of a server, before
anything runs (trap T1); a file that is missing is a config error that names every missing file at
once.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from orket_lib.artifacts.digest import sha256_of
from orket_lib.artifacts.measurements.spec import (
    ArtifactIdentity,
    CanarySpec,
    ControlSettings,
    CooldownSettings,
    MeasurementSpec,
    RunSpec,
    TaskSelection,
)
from orket_lib.config.loading.runner_template import find_runner
from orket_lib.config.model import SweepConfig
from orket_lib.config.model_files import Named, pin_for
from orket_lib.providers.gguf.file import model_sha256
from orket_lib.stores.parts import CellStore, Wanted
from orket_lib.sweep.hash_cache import HashCache
from orket_lib.sweep.quantize_recipes import identity_of, made_file
from orket_lib.sweep.references import look_around
from orket_lib.tasks.bank import Task, TaskBank, select, selection
from orket_lib.telemetry.fingerprint import remote_machine
from orket_lib.vocabulary.addresses import remote_host
from orket_lib.vocabulary.errors import ConfigError
from orket_lib.vocabulary.slugs import slugs


@dataclass(frozen=True)
class Cell:
    """One (model, quant): what serves it and what its measurement depends on.

    Attributes:
        model_id: Of the config.
        model_slug: Folder of the model's views, its own among the models of the sweep.
        quant_tag: Of the config.
        named: What serves the cell.
        spec: What its measurement depends on.
        rounds: How often it is measured.
    """

    model_id: str
    model_slug: str
    quant_tag: str
    named: Named
    spec: RunSpec
    rounds: int = 1

    @property
    def path(self) -> Path | None:
        """The model file, where there is one here, or will be."""
        return self.named.path

    @cached_property
    def store(self) -> CellStore:
        """Where its measurements lie."""
        return CellStore(Path("storage", self.spec.folder))

    @property
    def digest(self) -> str:
        """The digest of what is served and how."""
        return self.store.folder.name

    @property
    def wanted(self) -> list[Wanted]:
        """What each round asks for."""
        return [Wanted.of(self.spec, number) for number in range(1, self.rounds + 1)]

    @property
    def measured(self) -> bool:
        """Whether the store has all that is asked of it, or knows why it can't be measured."""
        return all(
            not found.missing or found.failure for found in map(self.store.find, self.wanted)
        )


@dataclass(frozen=True)
class Sweep:
    """A config, resolved: immutable, and all that the workflow needs to know."""

    config: SweepConfig
    bank: TaskBank
    tasks: tuple[Task, ...]
    cells: tuple[Cell, ...]
    canaries: tuple[CanarySpec, ...]
    machine: str
    warnings: tuple[str, ...] = ()

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
    found = look_around(config, hashes, machine)
    if found.problems or found.bank is None:
        raise ConfigError(found.problems)
    bank = found.bank
    named = {pair: _placed(pair, what, hashes) for pair, what in found.named.items()}
    fitting = select(
        bank.tasks, categories=config.task_categories or (), tiers=config.task_tiers or ()
    )
    tasks = select(fitting, config.task_limit, config.task_id_min, config.task_id_max)
    canary_tasks = select(fitting, config.canary_task_limit, *config.canary_task_ids)
    pairs, folders = list(named), slugs(config.models)
    where = config.machine or remote_machine(remote_host(config.base_url)) or machine

    by_runner = config.runner_template is not None
    asked, canary_asked = (selection(bank, chosen, by_runner) for chosen in (tasks, canary_tasks))

    def base(pair: tuple[str, str], chosen: TaskSelection) -> MeasurementSpec:
        return MeasurementSpec(
            model_id=pair[0],
            quant_tag=pair[1],
            provider=config.provider,
            provider_version=_version_of(config.traits.runtime),
            artifact=_identity(config, pair, named[pair], hashes),
            server_args=config.server_args if config.starts_server else (),
            gpu_devices=config.gpu_devices,
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
            tasks=chosen,
            sandbox=config.code_sandbox,
            cooldown=_cooldown(config),
            runner=find_runner(config),
            machine=where,
        )

    def cell(pair: tuple[str, str]) -> Cell:
        fields = base(pair, asked)
        spec = RunSpec(
            **{name: getattr(fields, name) for name in MeasurementSpec.model_fields},
            runs_per_task=config.runs_per_quant,
            probe_runs=config.probe_runs,
            on_server_death=config.on_server_death,
            rerun_polluted=config.rerun_polluted,
        )
        return Cell(
            model_id=pair[0],
            model_slug=folders[pair[0]],
            quant_tag=pair[1],
            named=named[pair],
            spec=spec,
            rounds=config.rounds,
        )

    def canary(pair: tuple[str, str]) -> CanarySpec:
        # Its answers are no part of any cell.
        fields = base(pair, canary_asked.model_copy(update={"keys": ()}))
        return CanarySpec(**fields.model_dump(), runs=config.canary_runs)

    scope = config.models if config.canary_scope == "each_model" else config.models[:1]
    watched = [(model, config.quants[0]) for model in scope] if config.canary_runs else []
    return Sweep(
        config=config,
        bank=bank,
        tasks=tasks,
        cells=tuple(map(cell, pairs)),
        canaries=tuple(map(canary, watched)),
        machine=where,
        warnings=found.warnings,
    )


def _cooldown(config: SweepConfig) -> CooldownSettings | None:
    if config.cooldown_target_c is None:
        return None
    return CooldownSettings(
        target_c=config.cooldown_target_c, timeout_sec=config.cooldown_timeout_sec
    )


def _placed(pair: tuple[str, str], named: Named, hashes: HashCache) -> Named:
    """Return what serves a cell with its place, which the bytes tell that a file is made from."""
    if named.recipe is None:
        return named
    return replace(named, path=made_file(*pair, identity_of(named.recipe, hashes)))


def _identity(
    config: SweepConfig, pair: tuple[str, str], named: Named, hashes: HashCache
) -> ArtifactIdentity:
    """Return what a measurement depends on: a file's bytes, or a tag with the digest it must have.

    A pin of a file is not in it: the bytes are what is measured, pinned or not.
    """
    if named.recipe:
        return identity_of(named.recipe, hashes)
    if named.path:
        return ArtifactIdentity(sha256=model_sha256(named.path, hashes.sha256))
    return ArtifactIdentity(tag=named.tag, pin=pin_for(config, *pair))


def _version_of(package: str | None) -> str | None:
    """Return the version of an embedded runtime; another version is measured anew."""
    try:
        return version(package) if package else None
    except PackageNotFoundError:
        return None
