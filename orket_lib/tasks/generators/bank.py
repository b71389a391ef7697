"""Banks of generated tasks: the same families, levels, number and seed give the same bank.

Task number i of a family and level is drawn from dice of its own, so that more tasks are those of
the smaller bank and then others. Families and levels take turns, and ids count through the bank.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from itertools import islice
from types import ModuleType
from typing import Any

from orket_lib.tasks.generators import FAMILIES
from orket_lib.tasks.generators.drafts import Draft
from orket_lib.vocabulary.errors import ConfigError

LEVELS = range(1, 7)
_MOST_REPEATED = 1000  # drafts in a row that were made before: the family has no others
Generated = tuple[str, int, Draft]


def generate(
    families: Sequence[str], levels: Sequence[int], n: int, seed: int | str
) -> dict[str, Any]:
    """Return a bank in the file format.

    Args:
        families: Their names, in the order in which they take turns.
        levels: Each from 1 to 6; they are the tiers.
        n: Tasks of each family and level.
        seed: Other ones give other tasks.

    Raises:
        ConfigError: There is no such family or level, or a family has too few different tasks.
    """
    made = generated(families, levels, n, seed)
    return {
        "schema_version": "orket.task_bank.v1",
        "bank_id": "generated",
        "description": f"Generated tasks: {len(families)} families, levels "
        f"{', '.join(map(str, levels))}, {n} of each, seed {seed}.",
        "tasks": [_task(number, *one) for number, one in enumerate(made, 1)],
    }


def generated(
    families: Sequence[str], levels: Sequence[int], n: int, seed: int | str
) -> list[Generated]:
    """Return the tasks of a bank in its order, each with its family and level; see `generate`."""
    _check(families, levels, n)
    drawn = {
        (family, level): _drawn(FAMILIES[family], level, n, seed)
        for family in families
        for level in levels
    }
    return [(*place, drawn[place][turn]) for turn, place in _turns(families, levels, n)]


def _check(families: Sequence[str], levels: Sequence[int], n: int) -> None:
    """Refuse what no bank can be made of.

    Raises:
        ConfigError: All that is wrong.
    """
    known = ", ".join(sorted(FAMILIES))
    problems = [
        f"families: one of {known} (got {family!r})"
        for family in families
        if family not in FAMILIES
    ]
    problems += [
        f"levels: a whole number from 1 to {LEVELS[-1]} (got {level!r})"
        for level in levels
        if level not in LEVELS
    ]
    for name, chosen in (("families", families), ("levels", levels)):
        if not chosen or len(set(chosen)) < len(chosen):
            problems.append(f"{name}: at least one, and each once (got {list(chosen)})")
    if n < 1:
        problems.append(f"n: a whole number >= 1 (got {n})")
    if problems:
        raise ConfigError(problems)


def _drawn(family: ModuleType, level: int, n: int, seed: int | str) -> list[Draft]:
    """Return the first n different tasks of a family and level.

    Raises:
        ConfigError: It does not make as many.
    """
    drafts = list(islice(_different(family, level, seed), n))
    if len(drafts) < n:
        raise ConfigError(
            [
                f"n: at most {len(drafts)} tasks of family {family.NAME!r} and level {level}, which"
                f" has no more different ones with seed {seed!r} (got {n})"
            ]
        )
    return drafts


def _different(family: ModuleType, level: int, seed: int | str) -> Iterator[Draft]:
    seen: set[tuple[str, str]] = set()
    index = repeated = 0
    while repeated < _MOST_REPEATED:
        draft = family.make(random.Random(f"{seed}/{family.NAME}/{level}/{index}"), level)
        index += 1
        asked = (draft.problem, draft.instruction)
        repeated = repeated + 1 if asked in seen else 0
        if asked not in seen:
            seen.add(asked)
            yield draft


def _turns(
    families: Sequence[str], levels: Sequence[int], n: int
) -> Iterator[tuple[int, tuple[str, int]]]:
    """Yield the places of a bank: all families in turn, neighbours with different levels."""
    for turn in range(n):
        for shift in range(len(levels)):
            for place, family in enumerate(families):
                yield turn, (family, levels[(place + shift + turn) % len(levels)])


def _task(number: int, family: str, level: int, draft: Draft) -> dict[str, Any]:
    problem = {"problem": draft.problem} if draft.problem else {}
    return {
        "id": number,
        "tier": level,
        "category": family,
        **problem,
        "instruction": draft.instruction,
        "evaluation": draft.evaluation,
    }
