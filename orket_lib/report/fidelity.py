"""Two sweeps, cells, or measurements of probabilities, compared, as text."""

from __future__ import annotations

from orket_lib.artifacts.printed.fidelity import ComparedCell, FidelityComparison
from orket_lib.artifacts.views.kld import QuantDivergence
from orket_lib.report.formatting import DASH, aligned
from orket_lib.report.sections.fidelity import agreement_cells, divergence_cells
from orket_lib.vocabulary.text import listed

_COLUMNS = ("model", "A", "B", "same answers", "share", "same start", "A repeats")


def comparison_text(found: FidelityComparison) -> str:
    """Return a line for each cell, then how they were served differently."""
    rows = [(*_COLUMNS,), *map(_cells, found.cells)]
    lines = [f"A: {found.a}", f"B: {found.b}", "", *aligned(rows), ""]
    differences: dict[tuple[str, ...], list[str]] = {}
    for cell in found.cells:
        differences.setdefault(cell.differences, []).append(_name(cell))
    for different, names in differences.items():
        which = "all cells" if len(names) == len(found.cells) > 1 else listed(names)
        lines.append(f"{which}: {'; '.join(different) or 'served the same way'}")
    for where, only in (("A", found.only_a), ("B", found.only_b)):
        lines += [f"only in {where}: {', '.join(only)}"] if only else []
    return "\n".join(lines)


def divergence_text(found: QuantDivergence) -> str:
    """Return a line for the text and one for the answers, then what may have changed them."""
    columns = ("B", "over", "places", "metric", "mean", "99 %", "same most probable token")
    lines = aligned([columns, *divergence_cells(found, found.quant_tag)])
    return "\n".join([*lines, *found.observations])


def _cells(cell: ComparedCell) -> tuple[str, ...]:
    floor = cell.noise_floor
    return (
        cell.model_id,
        cell.fidelity.baseline_quant,
        cell.fidelity.quant_tag,
        *agreement_cells(cell.fidelity.agreement),
        f"{floor.same_answers} of {floor.tasks}" if floor.tasks else DASH,
    )


def _name(cell: ComparedCell) -> str:
    return f"{cell.model_id} {cell.fidelity.quant_tag}"
