"""The files and CPUs that a config refers to: task bank, model files, profiles.

All of them are checked before the config is refused, so that one run reports everything missing.
"""

from __future__ import annotations

import glob
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

import psutil

from orket_lib.artifacts.io import read_model
from orket_lib.artifacts.views.kpis import KpiPolicy
from orket_lib.config.loading.messages import got
from orket_lib.config.model import SweepConfig
from orket_lib.config.model_files import (
    ModelRef,
    makes_files,
    model_ref,
    pin_for,
    serves_files,
)
from orket_lib.config.sections.task_bank import bank_path
from orket_lib.config.shipped import located
from orket_lib.providers.gguf.file import model_sha256
from orket_lib.providers.gguf.kinds import kind_of_file, kind_of_name
from orket_lib.sweep.context import find_contexts
from orket_lib.sweep.fidelity import find_next_tokens
from orket_lib.sweep.hash_cache import HashCache
from orket_lib.sweep.quantize_recipes import find_recipes, recipe_for, requantized
from orket_lib.sweep.sidecar import find_sidecar
from orket_lib.sweep.task_bank import bank_of
from orket_lib.tasks.bank import TaskBank, select
from orket_lib.tasks.shipped_banks import (
    GENERAL_BANK,
    REFERENCE_BANK,
    REFERENCE_MODEL,
)
from orket_lib.telemetry.fingerprint import remote_machine
from orket_lib.vocabulary.errors import ArtifactError, ConfigError
from orket_lib.vocabulary.providers import remote_host
from orket_lib.vocabulary.text import listed
from orket_lib.vocabulary.units import ALL_CPUS, cpus_of
from orket_lib.vocabulary.validation import nearest

# Keys that each check reads.
_MODELS = {"provider", "models", "quants", "artifact_template", "artifacts", "tag_template", "tags"}
_MODELS |= {"model_settings", "base_url"}
_MODELS |= {"quantize_base", "quantize_imatrix", "quantize_allow_requantize"}
_SIDECAR = {
    "hardware_sidecar_template",
    "hardware_sidecar_profile",
    "hardware_sidecar_timeout_sec",
    "sidecar_profiles_config",
}
_CONTEXT = {"context_profiles_config", "context_sweep_profile", "context_sweep_contexts"}


@dataclass(frozen=True)
class References:
    """What a config refers to, and a line for each thing that is missing."""

    bank: TaskBank | None
    models: dict[tuple[str, str], ModelRef]
    problems: tuple[str, ...]
    warnings: tuple[str, ...]


def find_references(
    config: SweepConfig, hashes: HashCache, machine: str, bad: Collection[str] = ()
) -> References:
    """Return what a config refers to.

    Args:
        config: The config.
        hashes: Cache of file hashes; only files with a pinned digest are hashed.
        machine: Fingerprint of this machine.
        bad: Keys that are already wrong; checks that read them are skipped.
    """
    problems: list[str] = []
    bank = None
    if "task_bank" not in bad:
        try:
            bank = bank_of(config)
        except ConfigError as error:
            problems += error.problems
    if bank is not None:
        problems += _empty_selections(config, bank, bad)
    models: dict[tuple[str, str], ModelRef] = {}
    if not _MODELS & set(bad):
        models, missing = _cells(config)
        problems += missing
        one_pin = any(isinstance(view.artifact_digest, str) for _, view in config.views)
        if "artifact_digest" not in bad and (len(models) == 1 or not one_pin):
            problems += _wrong_digests(config, models, hashes)
    if "affinity_policy" not in bad and config.machine in (None, machine):
        for prefix, view in config.views:
            problems += (f"{prefix}{line}" for line in _missing_cpus(view))
    if not {"machine", "base_url", "models"} & set(bad) and len(machines_of(config, machine)) > 1:
        problems.append(
            "models: must all be served by one machine, or their speeds can't be compared; make a "
            f"sweep for each ({got(' and '.join(machines_of(config, machine)))})"
        )
    if "kpi_policy" not in bad:
        try:
            read_model(located(config.kpi_policy), KpiPolicy)
        except ArtifactError as error:
            problems.append(f"kpi_policy: {error}")
    if not _SIDECAR & set(bad):
        problems += problems_of(find_sidecar, config)
    if not _CONTEXT & set(bad):
        problems += problems_of(find_contexts, config)
    if not {"fidelity", "fidelity_text"} & set(bad):
        problems += problems_of(find_next_tokens, config)
    warnings = (
        *_bank_of_another(config, bank),
        *_shared_models(config, models),
        *_no_models(models),
        *requantized(config, models),
    )
    return References(bank, models, tuple(problems), warnings)


def machines_of(config: SweepConfig, here: str) -> list[str]:
    """Return the fingerprints of the machines that serve the models; more than one is an error."""
    hosts = (remote_host(view.base_url) for _, view in config.views)
    return list(dict.fromkeys(config.machine or remote_machine(host) or here for host in hosts))


def problems_of(find: Callable[[SweepConfig], object], config: SweepConfig) -> tuple[str, ...]:
    """Return the problems with which a function refuses a config; nothing if it accepts it."""
    try:
        find(config)
    except ConfigError as error:
        return error.problems
    return ()


def _cells(config: SweepConfig) -> tuple[dict[tuple[str, str], ModelRef], list[str]]:
    """Return the model of each cell, and a line for each cell without one."""
    found, lacking, problems = {}, [], []
    views = {model: config.of(model) for model in config.models}
    for model, quant in config.pairs:
        served = views[model]
        files = serves_files(served)
        table, template = ("artifacts", "artifact_template") if files else ("tags", "tag_template")
        key = f"{table}.{model}.{quant}"
        ref = model_ref(served, model, quant)
        exists = ref is not None and (ref.path is None or ref.path.is_file())
        if not exists and files and recipe_for(served, model):
            lacking.append((model, quant))
        elif ref is None:
            kind = "file" if files else f"tag of provider `{served.provider}`"
            hint = nearest(model, set(getattr(served, table)) - set(config.models))
            problems.append(f"{key}: no {kind} named; set {template} or {table}{hint}")
        elif not exists:
            problems.append(f"{key}: file not found ({got(str(ref))}){_beside(ref)}")
        else:
            found[model, quant] = ref
    made, recipe_problems = find_recipes(config, lacking)
    models = found | made
    ordered = {pair: models[pair] for pair in config.pairs if pair in models}
    return ordered, [*problems, *recipe_problems]


def _bank_of_another(config: SweepConfig, bank: TaskBank | None) -> Iterator[str]:
    """Yield a warning if the reference bank is asked of other models than its own (trap T23)."""
    others = [model for model in config.models if REFERENCE_MODEL not in model.lower()]
    if bank is not None and bank.bank_id == REFERENCE_BANK and others:
        yield (
            f"task_bank: {config.task_bank} was made for the reference model {REFERENCE_MODEL}; "
            f"its scores say little about {listed(others, 10)}. Use `task_bank: {GENERAL_BANK}`"
        )


def _shared_models(config: SweepConfig, models: dict[tuple[str, str], ModelRef]) -> Iterator[str]:
    """Yield a warning for each file or tag that serves several plain cells (trap T1)."""
    cells: dict[str, list[str]] = {}
    for (model, quant), ref in models.items():
        if config.variant_of(quant):
            continue
        name = str(ref) if ref.recipe is None else f"{quant} of {ref.recipe.base.as_posix()}"
        cells.setdefault(name, []).append(f"{model} {quant}")
    for name, users in cells.items():
        if len(users) > 1:
            yield f"{name} serves {' and '.join(users)}: these cells can't differ"


def _no_models(models: dict[tuple[str, str], ModelRef]) -> Iterator[str]:
    """Yield a warning for each file that is no model by its first bytes; its cells fail."""
    for (model, quant), ref in models.items():
        kind = kind_of_file(ref.path) if ref.path and ref.path.is_file() else None
        if kind:
            yield f"artifacts.{model}.{quant}: {ref} is {kind.what}; {kind.remedy}"


def _beside(ref: ModelRef | None) -> str:
    """Return what to name instead of a missing file, if something like it is there."""
    path = ref.path if ref else None
    if path is None:
        return ""
    if path.is_dir():
        return "; it is a folder: name a file in it"
    stem = glob.escape(path.name.removesuffix(".gguf"))
    for pattern in (f"{stem}-00001-of-*.gguf", f"{stem}.gguf.*", f"{stem}.gguf-*", f"{stem}.GGUF"):
        found = next(iter(sorted(path.parent.glob(pattern))), None)
        if found:
            kind = kind_of_name(found)
            return f"; there is {found.name}{f': {kind.remedy}' if kind else ', name that'}"
    return ""


def _wrong_digests(
    config: SweepConfig, models: dict[tuple[str, str], ModelRef], hashes: HashCache
) -> Iterator[str]:
    for (model, quant), ref in models.items():
        pin = pin_for(config.of(model), model, quant)
        if ref.path and pin:
            actual = model_sha256(ref.path, hashes.sha256)
            if not actual.startswith(pin):
                yield (
                    f"artifact_digest.{model}.{quant}: {ref} has the SHA-256 {actual}, "
                    f"the config requires {pin}"
                )


def _empty_selections(config: SweepConfig, bank: TaskBank, bad: Collection[str]) -> Iterator[str]:
    ids = f"{bank_path(config.task_bank)} has ids {bank.tasks[0].id} to {bank.tasks[-1].id}"
    kinds = {"task_categories", "task_tiers"} - set(bad)
    categories = (config.task_categories or ()) if "task_categories" in kinds else ()
    tiers = (config.task_tiers or ()) if "task_tiers" in kinds else ()
    families = {task.family for task in bank.tasks}
    for name in categories:
        if name not in families:
            yield (
                f"task_categories: {bank_path(config.task_bank)} has {', '.join(sorted(families))}"
                f"{nearest(name, families)} ({got(name)})"
            )
            return
    fitting = select(bank.tasks, categories=categories, tiers=tiers)
    if not fitting:
        tiers_of_bank = ", ".join(map(str, sorted({task.tier for task in bank.tasks})))
        yield f"task_categories, task_tiers: no task is selected; tiers are {tiers_of_bank}"
        return
    for prefix in ("", "canary_") if config.canary_runs else ("",):
        low, high = f"{prefix}task_id_min", f"{prefix}task_id_max"
        first, last = getattr(config, low), getattr(config, high)
        if prefix and first is None and last is None:  # the range of the matrix
            continue
        backwards = first is not None and last is not None and first > last  # see cross_checks
        if not {low, high} & set(bad) and not backwards and not select(fitting, 0, first, last):
            yield f"{low}, {high}: no task is selected; {ids}"


def _missing_cpus(config: SweepConfig) -> Iterator[str]:
    if config.affinity_policy == ALL_CPUS or not makes_files(config):
        return
    try:
        here = set(psutil.Process().cpu_affinity() or ())
    except AttributeError:  # macOS
        yield f"affinity_policy: this system has no CPU affinity (got {config.affinity_policy})"
        return
    missing = [cpu for cpu in cpus_of(config.affinity_policy) if cpu not in here]
    if missing:
        yield (
            f"affinity_policy: this machine has no CPU {', '.join(map(str, missing))}; CPUs are "
            f"{', '.join(map(str, sorted(here)))} (got {config.affinity_policy})"
        )
