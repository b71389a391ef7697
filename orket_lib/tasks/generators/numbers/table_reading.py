"""Small tables in Markdown, CSV and plain lines: values, extremes, sums and filters."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from orket_lib.tasks.generators.drafts import Draft, of_label, of_level, of_number
from orket_lib.tasks.generators.numbers.table_scenes import SCENES, Scene

NAME = "table_reading"
SUMMARY = "a value, an extreme, a sum or a count of rows from a small table"


@dataclass(frozen=True)
class Table:
    """The rows of a scene, each with a value for each column."""

    scene: Scene
    columns: tuple[str, ...]
    rows: tuple[dict[str, str | int], ...]


_INTRODUCED = (
    "This table shows the {}.",
    "Here is a table of the {}.",
    "The {}:",
    "Look at the {} in this table.",
    "Below are the {} as a table.",
)
_VALUE = (
    "What is the {column} of {key}?",
    "Which {column} does the table give for {key}?",
    "In the row {key}, what is the {column}?",
    "What {column} does {key} have?",
    "Which value of {column} is in the row {key}?",
)
_EXTREME = (
    "Which {key} has the {most} {column}{where}?",
    "Find the {key} with the {most} {column}{where}.",
    "Name the {key} whose {column} is the {most}{where}.",
)
_SUM = (
    "What is the sum of {column} over all rows{where}?",
    "Add up {column} over all rows{where}.",
    "What do the values of {column} add up to, over all rows{where}?",
)
_COUNT = (
    "How many rows are there{where}?",
    "Count the rows{where}.",
    "What is the number of rows{where}?",
)
_SHOWN = ("markdown", "csv", "lines")


def make(dice: random.Random, level: int) -> Draft:
    """Return a task about a table of 3, 6, 10 and more rows."""
    table = _table(dice, level)
    lines = [dice.choice(_INTRODUCED).format(table.scene.about), _shown(dice, table)]
    harder = (_extreme, _sum, _sum, _weighed)
    kinds = of_level(level, (_value,), (_extreme, _sum, _count), harder)
    asked, answer = dice.choice(kinds)(dice, table, level)
    text = "\n\n".join(lines)
    if isinstance(answer, int):
        return of_number(asked, answer, text)
    return of_label(asked, answer, table.scene.keys, text, text)


def _table(dice: random.Random, level: int) -> Table:
    scene = dice.choice(SCENES)
    count = {1: 3, 2: 6}.get(level, 10 + 2 * (level - 3))
    words = dice.sample(scene.words, min(level, 3) - 1) if level > 1 else []
    numbers = dice.sample(scene.numbers, min(level, 3)) if level > 1 else [scene.numbers[0]]
    values: dict[str, list[str] | list[int]] = {scene.key: dice.sample(scene.keys, count)}
    for name, choices in words:
        few = dice.sample([one for one in choices if one not in values[scene.key]], 3)
        values[name] = [*few[:2], *(dice.choice(few) for _ in range(count - 2))]
        dice.shuffle(values[name])
    for name, low, high in numbers:
        values[name] = dice.sample(range(low, high + 1), count)
    columns = [scene.key, *dice.sample(sorted(set(values) - {scene.key}), len(values) - 1)]
    rows = tuple({name: values[name][row] for name in columns} for row in range(count))
    return Table(scene, tuple(columns), rows)


def _shown(dice: random.Random, table: Table) -> str:
    cells = [[str(row[column]) for column in table.columns] for row in table.rows]
    match dice.choice(_SHOWN):
        case "markdown":
            rule = ["---"] * len(table.columns)
            rows = [list(table.columns), rule, *cells]
            return "\n".join(f"| {' | '.join(row)} |" for row in rows)
        case "csv":
            return "\n".join(",".join(row) for row in [list(table.columns), *cells])
        case _:
            pairs = [zip(table.columns, row, strict=True) for row in cells]
            return "\n".join(", ".join(f"{name}: {cell}" for name, cell in row) for row in pairs)


def _numeric(table: Table) -> list[str]:
    return [name for name, *_ in table.scene.numbers if name in table.columns]


def _value(dice: random.Random, table: Table, level: int) -> tuple[str, str | int]:
    row, key = dice.choice(table.rows), table.scene.key
    column = dice.choice(table.columns[1:])
    return dice.choice(_VALUE).format(column=column, key=row[key]), row[column]


def _extreme(dice: random.Random, table: Table, level: int) -> tuple[str, str | int]:
    where, rows = _filtered(dice, table, level)
    column, most = dice.choice(_numeric(table)), dice.choice(("largest", "smallest"))
    pick: Callable[..., dict[str, str | int]] = max if most == "largest" else min
    key = table.scene.key
    asked = dice.choice(_EXTREME).format(key=key, column=column, most=most, where=where)
    return asked, pick(rows, key=lambda row: row[column])[key]


def _sum(dice: random.Random, table: Table, level: int) -> tuple[str, str | int]:
    where, rows = _filtered(dice, table, level)
    column = dice.choice(_numeric(table))
    asked = dice.choice(_SUM).format(column=column, where=where)
    return asked, sum(int(row[column]) for row in rows)


def _count(dice: random.Random, table: Table, level: int) -> tuple[str, str | int]:
    column = table.columns[1]
    value = dice.choice(table.rows)[column]
    if isinstance(value, str):
        where, count = f"{column} {value}", sum(row[column] == value for row in table.rows)
    else:
        where = f"{column} of {value} or more"
        count = sum(int(row[column]) >= value for row in table.rows)
    return dice.choice(_COUNT).format(where=f" with {where}"), count


def _weighed(dice: random.Random, table: Table, level: int) -> tuple[str, str | int]:
    where, rows = _filtered(dice, table, level)
    left, right = dice.sample(_numeric(table), 2)
    asked = dice.choice(_SUM).format(column=f"{left} times {right}", where=where)
    return asked, sum(int(row[left]) * int(row[right]) for row in rows)


def _filtered(
    dice: random.Random, table: Table, level: int
) -> tuple[str, list[dict[str, str | int]]]:
    """Return a filter in words, none at level 2, and the rows that it leaves."""
    if level == 2:
        return "", list(table.rows)
    column = dice.choice([name for name, _ in table.scene.words])
    number = dice.choice(_numeric(table))
    value, limit = table.rows[0][column], sorted(int(row[number]) for row in table.rows)[2]
    if dice.random() < 0.5:
        kept = [row for row in table.rows if row[column] != value or int(row[number]) > limit]
        return f" whose {column} is not {value} or whose {number} is more than {limit}", kept
    kept = [row for row in table.rows if row[column] != value and int(row[number]) >= limit]
    return f" whose {column} is not {value} and whose {number} is at least {limit}", kept
