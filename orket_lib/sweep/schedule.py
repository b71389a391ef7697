"""The order of measurements: model by model, every other round in reverse.

With A B C, C B A, A B C, a slow drift of the machine affects all quants equally over two rounds
(trap T14).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from orket_lib.sweep.cells import Cell


def priorities(cells: Sequence[Cell]) -> dict[tuple[str, str, int], int]:
    """Return the priority of each measurement, by (model's folder, quant, round).

    Args:
        cells: Of a sweep, grouped by model.
    """
    turns = []
    for _, group in groupby(cells, key=lambda cell: cell.model_id):
        of_model = list(group)
        for number in range(1, of_model[0].rounds + 1):
            order = of_model if number % 2 else of_model[::-1]
            turns += [(cell.model_slug, cell.quant_tag, number) for cell in order]
    return {turn: len(turns) - place for place, turn in enumerate(turns)}
