"""Batches: a sweep's tasks in parts, so that quants can be left as soon as they are decided.

The tasks are put into one seeded order in which every beginning has the families, and the levels of
each family, in about the shares of the whole. Batches are consecutive pieces of this order. Each
ends at twice the tasks of the one before it: a model is loaded once per batch, and few looks at the
answers make few errors.

Tasks that are added to a bank move some others to another batch. No answer is lost by that, because
the store finds answers by task.

How often batches lead to errors, and what they save, is simulated by `tools/verdict_tables.py`.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Hashable, Mapping, Sequence
from pathlib import Path
from typing import Protocol, TypeVar

from orket_lib.artifacts.io import json_value
from orket_lib.artifacts.measurements.spec import RunSpec, TaskSelection
from orket_lib.config.model import SweepConfig
from orket_lib.vocabulary.statuses import FidelityMode

# The first batch also shows whether the baseline can do the tasks at all.
FIRST_BATCH = 40
REPEATED_TASKS = 30
# A last batch of less than this share of the one before it is not worth a load; it is joined to it.
_SMALLEST_SHARE = 0.25
_SEED = "orket"


class Stratified(Protocol):
    """What the order depends on."""

    @property
    def test_id(self) -> str:
        """Id of the task, unique among the tasks."""

    @property
    def family(self) -> str:
        """Kind of work."""

    @property
    def tier(self) -> int:
        """Intended difficulty."""


T = TypeVar("T", bound=Stratified)
K = TypeVar("K", bound=Hashable)


def batch_ends(tasks: int, first: int = FIRST_BATCH) -> tuple[int, ...]:
    """Return how many tasks have been asked after each batch; the last number is `tasks`.

    Args:
        tasks: Number of tasks, at least 1.
        first: Number of tasks in the first batch.
    """
    ends = []
    end = first
    while end < tasks:
        ends.append(end)
        end *= 2
    if ends and tasks - ends[-1] < _SMALLEST_SHARE * ends[-1]:
        ends.pop()
    return (*ends, tasks)


def batch_spec(spec: RunSpec, batches: Sequence[TaskSelection], number: int) -> RunSpec:
    """Return what a cell is asked in one batch; only the first has probes and repeated tasks.

    Args:
        spec: Of the cell, with all tasks.
        batches: The tasks of each batch.
        number: Of the batch, from 1.
    """
    later = {"probe_runs": 0, "repeated_tasks": 0} if number > 1 else {}
    return spec.model_copy(update={"tasks": batches[number - 1], **later})


def repeated_tasks(config: SweepConfig, model: str, quant: str) -> int:
    """Return how many tasks a quant is asked twice although the config asks each once.

    The baseline's second answers show how far answers differ by themselves.
    """
    once = config.runs_per_quant * config.rounds == 1 and not config.quick
    baseline = quant == config.largest_quant(model) and len(config.quants_of(model)) > 1
    compared = config.fidelity is not FidelityMode.OFF
    return REPEATED_TASKS if once and baseline and compared else 0


def why_dropped(receipt: Path) -> str | None:
    """Return why a batch is not asked, by its receipt; None if it is, or without a receipt."""
    try:
        dropped = json_value(receipt.read_bytes())["dropped"]
        return None if dropped is None else str(dropped["detail"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def batches_of(
    tasks: Sequence[T], first: int = FIRST_BATCH, seed: str = _SEED
) -> tuple[tuple[T, ...], ...]:
    """Return the tasks in batches.

    Args:
        tasks: At least one; the order doesn't matter.
        first: Number of tasks in the first batch.
        seed: Another one gives other batches.
    """
    ordered = stratified(tasks, seed)
    ends = batch_ends(len(ordered), first)
    starts = (0, *ends[:-1])
    return tuple(tuple(ordered[start:end]) for start, end in zip(starts, ends, strict=True))


def stratified(tasks: Sequence[T], seed: str = _SEED) -> list[T]:
    """Return the tasks in an order whose beginnings are balanced by family and level.

    It is random within these limits, and the same for the same tasks and seed.
    """
    families = {
        family: _interleaved(
            {
                str(tier): sorted(members, key=lambda task: _random(seed, task.test_id))
                for tier, members in _grouped(of_family, lambda task: task.tier).items()
            },
            f"{seed} {family}",
        )
        for family, of_family in _grouped(tasks, lambda task: task.family).items()
    }
    return _interleaved(families, seed)


def _interleaved(groups: Mapping[str, Sequence[T]], seed: str) -> list[T]:
    """Return one sequence in which each group is spread evenly, from a random start."""
    placed = [
        ((number + _random(seed, name)) / len(members), name, number, task)
        for name, members in groups.items()
        for number, task in enumerate(members)
    ]
    return [task for *_, task in sorted(placed, key=lambda item: item[:3])]


def _grouped(tasks: Sequence[T], key: Callable[[T], K]) -> dict[K, list[T]]:
    groups: dict[K, list[T]] = defaultdict(list)
    for task in tasks:
        groups[key(task)].append(task)
    return groups


def _random(seed: str, name: str) -> float:
    """Return a reproducible random number in 0..1."""
    digest = hashlib.sha256(f"{seed} {name}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64
