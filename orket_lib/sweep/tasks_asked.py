"""The tasks of a sweep: which ones the cells are asked, in which batches, and which the canary."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from orket_lib.config.model import SweepConfig
from orket_lib.sweep.batches import batches_of, stratified
from orket_lib.tasks.bank import Task, TaskBank, select
from orket_lib.vocabulary.thresholds import QUICK_TASKS
from orket_lib.vocabulary.units import MIB

_QUICK_BATCH = 20  # the fewest that a verdict can come from
_TINY_BYTES = 100 * MIB  # loading such a model takes longer than some more tasks


@dataclass(frozen=True)
class TasksAsked:
    """The tasks of a sweep, in the order of their bank.

    Attributes:
        tasks: Of each cell.
        batches: The same in batches; nothing if they are asked all at once.
        canary: Of the canary.
    """

    tasks: tuple[Task, ...]
    batches: tuple[tuple[Task, ...], ...]
    canary: tuple[Task, ...]


def tasks_asked(config: SweepConfig, bank: TaskBank, files: Iterable[Path | None]) -> TasksAsked:
    """Return the tasks that a config asks.

    Args:
        config: The config.
        bank: Its task bank.
        files: The model files of the cells; None for a tag.
    """
    categories, tiers = config.task_categories or (), config.task_tiers or ()
    fitting = select(bank.tasks, categories=categories, tiers=tiers)
    tasks = select(fitting, config.task_limit, config.task_id_min, config.task_id_max)
    batches: Sequence[Sequence[Task]] = ()
    if config.quick:
        batches = _quick_batches(tasks, all(map(_is_tiny, files)))
    elif config.in_batches:
        batches = batches_of(tasks)
    # Not every model can be offered tools; what it can't be asked says nothing about the machine.
    plain = [task for task in fitting if not task.tools]
    of_canary = (config.canary_task_limit, *config.canary_task_ids)
    return TasksAsked(
        tasks=_by_id(task for batch in batches for task in batch) or tasks,
        batches=tuple(map(_by_id, batches)),
        canary=select(plain, *of_canary) or select(fitting, *of_canary),
    )


def _quick_batches(tasks: Sequence[Task], tiny: bool) -> list[list[Task]]:
    """Return a few tasks in two batches, of which the first is the easiest.

    Small models can do only those, and others need both. Tiny models are asked all at once.
    """
    easiest = min(task.tier for task in tasks)
    plain = [task for task in tasks if task.tier == easiest and not task.tools] or tasks
    first = stratified(plain)[:_QUICK_BATCH]
    rest = stratified([task for task in tasks if task not in first])[: QUICK_TASKS - len(first)]
    return [[*first, *rest]] if tiny or not rest else [first, rest]


def _is_tiny(file: Path | None) -> bool:
    return file is not None and file.is_file() and file.stat().st_size < _TINY_BYTES


def _by_id(tasks: Iterable[Task]) -> tuple[Task, ...]:
    """Return tasks in the order of their bank."""
    return tuple(sorted(tasks, key=lambda task: task.id))
