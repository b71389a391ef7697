"""Banks of tasks that the package reasoning-gym makes, graded by its own scorers."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import islice
from math import ceil
from typing import Any

from orket_lib.tasks.grading.gym_scores import is_right, runs_text
from orket_lib.vocabulary.errors import ConfigError

_INSTALL = "pip install 'orket-quant-sweep[reasoning-gym]'"
_SPARE = 4  # items drawn for one task: some repeat others


def gym_bank(families: Sequence[str], n: int, seed: int) -> dict[str, Any]:
    """Return a bank in the file format; its families take turns.

    Args:
        families: Data sets of the package.
        n: Tasks of the bank.
        seed: Another one gives other tasks.

    Raises:
        ConfigError: The package is missing, or a family is unknown, can't be graded or too small.
    """
    try:
        from reasoning_gym.factory import DATASETS
    except ImportError:
        raise ConfigError([f"families: need a package; type {_INSTALL}"]) from None
    if unknown := [one for one in families if one not in DATASETS]:
        known = ", ".join(sorted(set(DATASETS) - {"composite"}))
        raise ConfigError([f"families: one of {known} (got {one!r})" for one in unknown])
    if run := [one for one in families if runs_text(one)]:
        raise ConfigError(
            [f"families: the scorer of {one} runs answers as code, which isn't done" for one in run]
        )
    each = ceil(n / len(families))
    drawn = [list(islice(_tasks(family, each, seed), each)) for family in families]
    if short := [one for one, found in zip(families, drawn, strict=True) if len(found) < each]:
        raise ConfigError(
            [f"families: {one} has fewer than {each} gradable tasks" for one in short]
        )
    tasks = [found[turn] for turn in range(each) for found in drawn][:n]
    return {
        "schema_version": "orket.task_bank.v1",
        "bank_id": "reasoning_gym",
        "description": f"Made by reasoning-gym: {', '.join(families)}; seed {seed}.",
        "tasks": [{"id": number, **task} for number, task in enumerate(tasks, 1)],
    }


def _tasks(family: str, each: int, seed: int) -> Iterator[dict[str, Any]]:
    """Yield different tasks; their own answers are right as JSON, in which a bank holds them."""
    from reasoning_gym.factory import create_dataset

    seen: set[str] = set()
    try:
        for item in create_dataset(family, seed=seed, size=_SPARE * each):
            entry = json.loads(json.dumps(item))
            if entry["question"] in seen or not is_right(family, entry, [str(entry["answer"])]):
                continue
            seen.add(entry["question"])
            evaluation = {"type": "reasoning_gym", "family": family, "entry": entry}
            task = {"tier": 1, "category": family, "instruction": entry["question"]}
            yield {**task, "evaluation": evaluation}
    except Exception as error:  # whatever its code raises, such as for a value that is no JSON
        raise ConfigError([f"families: {family} can't be used: {error}"[:300]]) from None
