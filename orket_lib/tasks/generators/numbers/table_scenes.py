"""What the tables of the family `table_reading` are about."""

from __future__ import annotations

from dataclasses import dataclass

from orket_lib.tasks.generators.words import ANIMALS, COLOURS, FOODS, NAMES, THINGS, TOOLS, TOWNS


@dataclass(frozen=True)
class Scene:
    """What a table is about: its key, columns of words, and columns of numbers with their range."""

    about: str
    key: str
    keys: tuple[str, ...]
    words: tuple[tuple[str, tuple[str, ...]], ...]
    numbers: tuple[tuple[str, int, int], ...]


SCENES = (
    Scene(
        "stock of a shop",
        "item",
        THINGS,
        (("colour", COLOURS), ("town", TOWNS)),
        (("count", 10, 99), ("price", 3, 60), ("weight", 100, 900)),
    ),
    Scene(
        "members of a club",
        "name",
        NAMES,
        (("town", TOWNS), ("team", COLOURS)),
        (("age", 18, 80), ("score", 10, 99), ("fee", 5, 60)),
    ),
    Scene(
        "menu of a canteen",
        "dish",
        FOODS,
        (("cook", NAMES), ("plate", COLOURS)),
        (("energy", 110, 890), ("time", 5, 60), ("stock", 10, 99)),
    ),
    Scene(
        "tools for hire",
        "tool",
        TOOLS,
        (("shelf", COLOURS), ("depot", TOWNS)),
        (("fee", 4, 80), ("number", 100, 999), ("usage", 2, 70)),
    ),
    Scene(
        "animals of a farm",
        "animal",
        ANIMALS,
        (("keeper", NAMES), ("pen", COLOURS)),
        (("weight", 11, 95), ("feed", 10, 99), ("age", 1, 30)),
    ),
    Scene(
        "stations of a railway",
        "station",
        TOWNS,
        (("line", COLOURS), ("manager", NAMES)),
        (("length", 2, 30), ("capacity", 100, 990), ("distance", 11, 99)),
    ),
)
