"""What a config needs to find: its task bank, its model files, the files that it refers to, CPUs.

Everything is looked for before anything is refused, so that one run names all that is missing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

import psutil
from pydantic import BaseModel

from orket_lib.artifacts.io import read_model
from orket_lib.artifacts.views.kpi_gate import KpiPolicy
from orket_lib.config.loading.messages import got, nearest
from orket_lib.config.model import SweepConfig
from orket_lib.config.model_files import Named, makes_files, named_for, pin_for, serves_files
from orket_lib.config.shipped import located
from orket_lib.providers.gguf.file import model_sha256
from orket_lib.sweep.context import context_problems
from orket_lib.sweep.hash_cache import HashCache
from orket_lib.sweep.quantize_recipes import find_recipes, recipe_for, requantized
from orket_lib.sweep.sidecar import sidecar_problems
from orket_lib.tasks.bank import TaskBank, load_bank, select
from orket_lib.vocabulary.cpus import ALL, cpus_of
from orket_lib.vocabulary.errors import ArtifactError

_NAMING = {"provider", "models", "quants", "artifact_template", "artifacts", "tag_template", "tags"}
_NAMING |= {"base_url", "quantize_base", "quantize_imatrix", "quantize_allow_requantize"}
_SIDECAR = {
    "hardware_sidecar_template",
    "hardware_sidecar_profile",
    "hardware_sidecar_timeout_sec",
    "sidecar_profiles_config",
}
_CONTEXT = {"context_profiles_config", "context_sweep_profile", "context_sweep_contexts"}


@dataclass(frozen=True)
class Surroundings:
    """What was found, and a line for each thing that was not."""

    bank: TaskBank | None
    named: dict[tuple[str, str], Named]
    problems: tuple[str, ...]
    warnings: tuple[str, ...]


def look_around(
    config: SweepConfig, hashes: HashCache, machine: str, bad: Collection[str] = ()
) -> Surroundings:
    """Return what a config needs.

    Args:
        config: The config; keys in `bad` hold stand-ins and nothing is looked for by them.
        hashes: Where file hashes come from; only files with a pinned digest are hashed.
        machine: Fingerprint of this machine.
        bad: Keys that have an error of their own.
    """
    problems: list[str] = []
    bank = None
    if "task_bank" not in bad:
        try:
            bank = load_bank(located(config.task_bank))
        except (ArtifactError, OSError) as error:
            problems.append(f"task_bank: {error}")
    if bank is not None:
        problems += _empty_selections(config, bank, bad)
    named: dict[tuple[str, str], Named] = {}
    if not _NAMING & set(bad):
        named, missing = _cells(config)
        problems += missing
        one_pin = isinstance(config.artifact_digest, str)
        if "artifact_digest" not in bad and (len(named) == 1 or not one_pin):
            problems += _other_bytes(config, named, hashes)
    if "affinity_policy" not in bad and config.machine in (None, machine):
        problems += _missing_cpus(config)
    problems += _referred_files(config, bad)
    warnings = (*_shared(named), *requantized(config, named))
    return Surroundings(bank, named, tuple(problems), warnings)


def _cells(config: SweepConfig) -> tuple[dict[tuple[str, str], Named], list[str]]:
    """Return what serves each cell, and a line for each cell that nothing serves."""
    files = serves_files(config)
    table, template = ("artifacts", "artifact_template") if files else ("tags", "tag_template")
    found, lacking, problems = {}, [], []
    for model in config.models:
        for quant in config.quants:
            place = f"{table}.{model}.{quant}"
            named = named_for(config, model, quant)
            there = named is not None and (named.path is None or named.path.is_file())
            if not there and files and recipe_for(config, model):
                lacking.append((model, quant))
            elif named is None:
                kind = "file" if files else f"tag of provider `{config.provider}`"
                others = set(getattr(config, table)) - set(config.models)
                hint = nearest(model, others)
                problems.append(f"{place}: no {kind} named; set {template} or {table}{hint}")
            elif not there:
                problems.append(f"{place}: there is no such file ({got(str(named))})")
            else:
                found[model, quant] = named
    made, hindrances = find_recipes(config, lacking)
    served = found | made
    order = [(model, quant) for model in config.models for quant in config.quants]
    return {pair: served[pair] for pair in order if pair in served}, [*problems, *hindrances]


def _shared(named: dict[tuple[str, str], Named]) -> Iterator[str]:
    """Yield a warning for each file or tag that serves several cells (trap T1)."""
    cells: dict[str, list[str]] = {}
    for (model, quant), what in named.items():
        name = str(what) if what.recipe is None else f"{quant} of {what.recipe.base.as_posix()}"
        cells.setdefault(name, []).append(f"{model} {quant}")
    for name, users in cells.items():
        if len(users) > 1:
            yield f"{name} serves {' and '.join(users)}: these cells can't differ"


def _other_bytes(
    config: SweepConfig, named: dict[tuple[str, str], Named], hashes: HashCache
) -> Iterator[str]:
    for (model, quant), what in named.items():
        pin = pin_for(config, model, quant)
        if what.path and pin:
            actual = model_sha256(what.path, hashes.sha256)
            if not actual.startswith(pin):
                yield (
                    f"artifact_digest.{model}.{quant}: {what} has the SHA-256 {actual}, "
                    f"the config asks for {pin}"
                )


def _empty_selections(config: SweepConfig, bank: TaskBank, bad: Collection[str]) -> Iterator[str]:
    ids = f"{config.task_bank} has ids {bank.tasks[0].id} to {bank.tasks[-1].id}"
    kinds = {"task_categories", "task_tiers"} - set(bad)
    categories = (config.task_categories or ()) if "task_categories" in kinds else ()
    tiers = (config.task_tiers or ()) if "task_tiers" in kinds else ()
    families = {task.family for task in bank.tasks}
    for name in categories:
        if name not in families:
            yield (
                f"task_categories: {config.task_bank} has {', '.join(sorted(families))}"
                f"{nearest(name, families)} ({got(name)})"
            )
            return
    fitting = select(bank.tasks, categories=categories, tiers=tiers)
    if not fitting:
        there = ", ".join(map(str, sorted({task.tier for task in bank.tasks})))
        yield f"task_categories, task_tiers: no task is selected; there are tiers {there}"
        return
    for prefix in ("", "canary_") if config.canary_runs else ("",):
        low, high = f"{prefix}task_id_min", f"{prefix}task_id_max"
        first, last = getattr(config, low), getattr(config, high)
        if prefix and first is None and last is None:  # the range of the matrix
            continue
        backwards = first is not None and last is not None and first > last  # told already
        if not {low, high} & set(bad) and not backwards and not select(fitting, 0, first, last):
            yield f"{low}, {high}: no task is selected; {ids}"


def _missing_cpus(config: SweepConfig) -> Iterator[str]:
    if config.affinity_policy == ALL or not makes_files(config):
        return
    try:
        here = set(psutil.Process().cpu_affinity() or ())
    except AttributeError:  # macOS
        yield f"affinity_policy: this system knows no CPU affinity (got {config.affinity_policy})"
        return
    missing = [cpu for cpu in cpus_of(config.affinity_policy) if cpu not in here]
    if missing:
        yield (
            f"affinity_policy: this machine has no CPU {', '.join(map(str, missing))}; there are "
            f"{', '.join(map(str, sorted(here)))} (got {config.affinity_policy})"
        )


def _referred_files(config: SweepConfig, bad: Collection[str]) -> Iterator[str]:
    """Yield a line for each settings file that is missing, damaged, or lacks a name."""
    if "kpi_policy" not in bad:
        yield from _unreadable("kpi_policy", config.kpi_policy, KpiPolicy)
    if not _SIDECAR & set(bad):
        yield from sidecar_problems(config)
    if not _CONTEXT & set(bad):
        yield from context_problems(config)


def _unreadable(key: str, path: str, kind: type[BaseModel]) -> Iterator[str]:
    try:
        read_model(located(path), kind)
    except ArtifactError as error:
        yield f"{key}: {error}"
