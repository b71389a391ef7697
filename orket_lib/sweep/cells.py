"""Resolving a config into cells with specs.

Every (model, quant) becomes one file with its SHA-256, or one tag on a server, before anything runs
(trap T1). Missing files are config errors, and all of them are reported together.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from orket_lib.artifacts.digest import sha256_of
from orket_lib.artifacts.measurements.spec import (
    SEARCH,
    ArtifactIdentity,
    CanarySpec,
    ControlSettings,
    CooldownSettings,
    MeasurementSpec,
    OffloadTargets,
    RunSpec,
    TaskSelection,
)
from orket_lib.config.loading.command_template import find_runner
from orket_lib.config.model import SweepConfig
from orket_lib.config.model_files import ModelRef, pin_for
from orket_lib.config.sections.fields import from_fields
from orket_lib.config.sections.task_bank import bank_path
from orket_lib.config.shipped import located
from orket_lib.providers.gguf.file import model_sha256, read_gguf
from orket_lib.stores.parts import CellStore, Wanted
from orket_lib.sweep.batches import batch_spec, repeated_tasks, why_dropped
from orket_lib.sweep.hash_cache import HashCache
from orket_lib.sweep.quantize_recipes import identity_of, made_file
from orket_lib.sweep.references import find_references, machines_of
from orket_lib.sweep.renamed_machine import measured_under_other_names
from orket_lib.sweep.servers import KnownServers, identities
from orket_lib.sweep.tasks_asked import tasks_asked
from orket_lib.tasks.bank import Task, TaskBank, selection
from orket_lib.telemetry.environment import package_version
from orket_lib.vocabulary.errors import ConfigError, UnusableFile
from orket_lib.vocabulary.slugs import slugs
from orket_lib.vocabulary.statuses import Again, WantName

Pair = tuple[str, str]  # model and quant


@dataclass(frozen=True)
class Cell:
    """One (model, quant) of the sweep.

    Attributes:
        model_id, quant_tag: Of the config.
        model_slug: Folder of the model's views, unique within the sweep.
        model: File or tag that is served.
        spec: What its measurement depends on.
        rounds: How often it is measured.
        batches: The tasks of each batch; empty if all are asked at once.
    """

    model_id: str
    model_slug: str
    quant_tag: str
    model: ModelRef
    spec: RunSpec
    rounds: int = 1
    batches: tuple[TaskSelection, ...] = ()

    @property
    def path(self) -> Path | None:
        """The model file; None for a tag."""
        return self.model.path

    @cached_property
    def store(self) -> CellStore:
        """The folder of its measurements."""
        return CellStore(Path("storage", self.spec.folder))

    @property
    def digest(self) -> str:
        """Digest of what is served and how."""
        return self.store.folder.name

    @property
    def wanted(self) -> list[Wanted]:
        """What each round or batch needs from the store."""
        if self.batches:
            specs = (batch_spec(self.spec, self.batches, number) for number in self._numbers)
            return [Wanted.of(spec) for spec in specs]
        return [Wanted.of(self.spec, number) for number in self._numbers]

    @property
    def parts(self) -> list[str]:
        """The folder of each round or batch below the cell's.

        The first one has the same as without rounds and batches, so turning them on moves no file.
        """
        kind = "batch" if self.batches else "round"
        return ["", *(f"/{kind}-{number}" for number in self._numbers[1:])]

    @property
    def _numbers(self) -> range:
        return range(1, (len(self.batches) or self.rounds) + 1)

    def measured(self, results: str, again: Again | None = None) -> bool:
        """Tell whether nothing is left to measure.

        All is in the store, or the cell has failed, or its receipt says that a batch is not asked.

        Args:
            results: Folder of the sweep's views.
            again: The part to measure even if it is in the store.
        """
        return all(
            not wanted.again(again) and (self._has(wanted) or why_dropped(Path(receipt)))
            for wanted, receipt in zip(self.wanted, self.receipts(results), strict=True)
        )

    def receipts(self, results: str) -> list[str]:
        """Return the paths of its receipts below a folder of views, one per round or batch."""
        folder = f"{results}/cells/{self.model_slug}/{self.quant_tag}"
        return [f"{folder}{part}/receipt.json" for part in self.parts]

    def _has(self, wanted: Wanted) -> bool:
        found = self.store.find(wanted)
        return not found.missing or found.failure is not None


@dataclass(frozen=True)
class Sweep:
    """A resolved config."""

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
    def bank_path(self) -> str:
        """The file of the task bank."""
        return located(bank_path(self.config.task_bank)).as_posix()

    @property
    def config_sha256(self) -> str:
        """Digest of the resolved config, for provenance."""
        return sha256_of(self.config.model_dump(mode="json"))


def resolve(
    config: SweepConfig, hashes: HashCache, machine: str, servers: KnownServers | None = None
) -> Sweep:
    """Return the sweep of a config.

    Args:
        config: The checked config.
        hashes: Cache of file hashes.
        machine: Fingerprint of this machine, for configs that name none.
        servers: What running servers said before; they are asked again.

    Raises:
        ConfigError: The task bank, the selected tasks or a model file is missing.
    """
    found = find_references(config, hashes, machine)
    if found.problems or found.bank is None:
        raise ConfigError(found.problems)
    bank = found.bank
    models = {
        (model, quant): _with_path((model, config.plain(quant)), ref, hashes)
        for (model, quant), ref in found.models.items()
    }
    said, warnings = identities(config, models, servers or KnownServers(), machine)
    asking = tasks_asked(config, bank, (ref.path for ref in models.values()))
    folders = slugs(config.models)
    where = machines_of(config, machine)[0]
    runner = find_runner(config)

    def chosen(tasks: Sequence[Task]) -> TaskSelection:
        return selection(bank, tasks, runner is not None)

    batches = tuple(map(chosen, asking.batches))
    asked, canary_asked = chosen(asking.tasks), chosen(asking.canary)
    views = {model: config.of(model) for model in config.models}

    def base(pair: Pair, tasks: TaskSelection) -> MeasurementSpec:
        variant, cooldown = config.variant_of(pair[1]), None
        served = views[pair[0]].in_variant(variant)
        if served.cooldown_target_c is not None:
            cooldown = from_fields(CooldownSettings, served, "cooldown_")
        runtime = served.traits.runtime
        return from_fields(
            MeasurementSpec,
            served,
            model_id=pair[0],
            quant_tag=pair[1],
            variant=variant,
            # Of the embedded runtime; measurements of another version don't count.
            provider_version=package_version(runtime) if runtime else None,
            artifact=_identity(served, pair, models[pair], hashes),
            server=said.get(pair),
            server_args=served.server_args if served.starts_server else (),
            offload=_targets(config) if served.gpu_layers == SEARCH else None,
            thinking=None if served.thinking == "default" else served.thinking,
            controls=from_fields(ControlSettings, served),
            tasks=tasks,
            sandbox=config.code_sandbox,
            cooldown=cooldown,
            runner=runner,
            machine=where,
        )

    def cell(pair: Pair) -> Cell:
        spec = RunSpec(
            **dict(base(pair, asked)),
            runs_per_task=config.runs_per_quant,
            probe_runs=config.probe_runs,
            on_server_death=views[pair[0]].on_server_death,
            rerun_polluted=config.rerun_polluted,
            repeated_tasks=repeated_tasks(config, *pair),
        )
        return Cell(pair[0], folders[pair[0]], pair[1], models[pair], spec, config.rounds, batches)

    def canary(pair: Pair) -> CanarySpec:
        # Without keys: no cell uses the answers of a canary.
        fields = base(pair, canary_asked.model_copy(update={"keys": ()}))
        return CanarySpec(**dict(fields), runs=config.canary_runs)

    each = [[pair for pair in config.pairs if pair[0] == model] for model in config.models]
    groups = each if config.canary_scope == "each_model" else [list(models)]
    watched = [_watched(models, group) for group in groups] if config.canary_runs else []
    cells = tuple(map(cell, models))
    here = where == machine and config.machine is None
    renamed: Iterable[str] = measured_under_other_names([it.spec for it in cells]) if here else ()
    return Sweep(
        config=config,
        bank=bank,
        tasks=asking.tasks,
        cells=cells,
        canaries=tuple(map(canary, watched)),
        machine=where,
        warnings=(*found.warnings, *warnings, *renamed),
    )


def _targets(config: SweepConfig) -> OffloadTargets:
    """Return what a search for layers on the GPU aims at."""
    wants = config.wants
    memory = [wants[name] for name in (WantName.VRAM_GIB, WantName.MEMORY_GIB) if name in wants]
    return OffloadTargets(
        decode_tps=wants.get(WantName.DECODE_TPS), vram_gib=min(memory, default=None)
    )


def _watched(models: dict[Pair, ModelRef], pairs: list[Pair]) -> Pair:
    """Return the cell that is the canary: the first whose file is a model, else the first.

    A canary that can't load would cost all cells, and a bad file must cost only its own.
    """
    return next((pair for pair in pairs if _may_load(models[pair])), pairs[0])


def _may_load(ref: ModelRef) -> bool:
    if ref.path is None or not ref.path.is_file():
        return True
    try:
        return read_gguf(ref.path).kind is None
    except UnusableFile:
        return False


def _with_path(pair: Pair, model: ModelRef, hashes: HashCache) -> ModelRef:
    """Return a cell's model with its path, which for a file to be made depends on its base."""
    if model.recipe is None:
        return model
    return replace(model, path=made_file(*pair, identity_of(model.recipe, hashes)))


def _identity(
    config: SweepConfig, pair: Pair, model: ModelRef, hashes: HashCache
) -> ArtifactIdentity:
    """Return what a measurement depends on: the bytes of a file, or a tag with its pinned digest.

    The pin of a file is left out, because its bytes are known.
    """
    if model.recipe:
        return identity_of(model.recipe, hashes)
    if model.path:
        return ArtifactIdentity(sha256=model_sha256(model.path, hashes.sha256))
    return ArtifactIdentity(tag=model.tag, pin=pin_for(config, *pair))
