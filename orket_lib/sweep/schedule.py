"""The order of measurements: model by model, every other round in reverse.

With A B C, C B A, A B C, a slow drift of the machine affects all quants equally over two rounds
(trap T14).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from orket_lib.sweep.cells import Cell


def priorities(cells: Sequence[Cell]) -> dict[tuple[str, str, str], int]:
    """Return the priority of each measurement, by (model's folder, quant, part).

    Args:
        cells: Of a sweep, grouped by model. A part is a round, or a batch of tasks, as in paths.
    """
    turns = []
    for _, group in groupby(cells, key=lambda cell: cell.model_id):
        of_model = list(group)
        for number, part in enumerate(of_model[0].parts):
            # Batches keep the order, because the baseline is needed first.
            backwards = number % 2 and not of_model[0].batches
            order = of_model[::-1] if backwards else of_model
            turns += [(cell.model_slug, cell.quant_tag, part) for cell in order]
    return {turn: len(turns) - place for place, turn in enumerate(turns)}
