"""Formats of numbers, names and tables for report, plots and terminal.

Figures are rounded only here; artifacts keep every digit.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from itertools import zip_longest

from orket_lib.artifacts.base import Measured
from orket_lib.artifacts.views.summary import Comparison
from orket_lib.vocabulary.nulls import Null
from orket_lib.vocabulary.text import visible
from orket_lib.vocabulary.units import GIB, MIB

DASH = "—"

_WHOLE_FROM = 1000
_SMALLEST_P = 1e-300


def shown(value: float | Null, form: Callable[[float], str], missing: str = DASH) -> str:
    """Return a formatted reading, or the sign for a missing one."""
    return missing if isinstance(value, Null) else form(value)


def figure(value: float) -> str:
    """Return a number with three significant digits, or as a whole number from 1000 on."""
    if abs(value) >= _WHOLE_FROM - 0.5:
        return f"{value:.0f}"
    text = f"{value:#.3g}"
    return "0" if value == 0 else text.rstrip(".")


def figures(values: Measured, *readings: str) -> list[str]:
    """Return several readings as figures, or the sign for missing ones."""
    return [shown(values.reading(name), figure) for name in readings]


def ratio(value: float) -> str:
    """Return a share with three decimals; `<0.001` and `>0.999` only round to 0 and 1."""
    text = f"{value:.3f}"
    if text == "0.000" and value > 0:
        return "<0.001"
    return ">0.999" if text == "1.000" and value < 1 else text


def bits(quant_rank: float) -> str:
    """Return bits per weight from a quant's rank."""
    return f"{quant_rank / 100:.2f}"


def size(count: float) -> str:
    """Return a number of bytes as `4.58 GiB`, or as `6.34 MiB` below a tenth of a GiB."""
    return f"{figure(count / GIB)} GiB" if count >= GIB / 10 else f"{figure(count / MIB)} MiB"


def p_value(value: float) -> str:
    """Return a p-value as `p = 1.2e-30`."""
    return f"p = {value:.2g}" if value >= _SMALLEST_P else f"p < {_SMALLEST_P:.0e}"


def flips(comparison: Comparison) -> str:
    """Return how many tasks a quant lost and won against the baseline, as `-4 +1`."""
    return f"-{comparison.correct_to_wrong} +{comparison.wrong_to_correct}"


def cpu_name(fingerprint: str | None) -> str:
    """Return a short name of a machine's CPU, from its fingerprint."""
    parts = (fingerprint or "").split("|")
    if len(parts) < 2:
        return "unknown machine"
    name = re.sub(r"\((r|tm|c)\)|@.*$", " ", parts[1].replace("_", " "))
    name = re.sub(r"\b(cpu|processor|\d+-core)\b", " ", name)
    return " ".join(name.split()) or "unknown CPU"


def aligned(rows: Iterable[Sequence[str]], indent: int = 0) -> list[str]:
    """Return lines of cells with their columns aligned, two spaces apart.

    Widths are those on a terminal, where some characters take two columns.
    """
    from rich.cells import cell_len, set_cell_size

    plain = [[visible(cell.replace("\n", " "), keep="") for cell in row] for row in rows]
    widths = [max(map(cell_len, column)) for column in zip_longest(*plain, fillvalue="")]
    lines = []
    for row in plain:
        cells = map(set_cell_size, row, widths)
        lines.append(f"{' ' * indent}{'  '.join(cells)}".rstrip())
    return lines


def escaped(text: str) -> str:
    """Return text on one line with Markdown escaped, also for table cells."""
    line = visible(" ".join(text.split()))
    line = re.sub(r"([\\`*<>\[\]|~])", r"\\\1", line)
    return re.sub(r"(?<!\w)_|_(?!\w)", r"\\_", line)
