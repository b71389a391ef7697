"""How numbers and names are written for people: one definition for report, plot and terminal.

Figures are rounded here and nowhere else; artifacts keep every digit.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from orket_lib.artifacts.views.summary import Comparison
from orket_lib.vocabulary.nulls import Null

DASH = "—"

_WHOLE_FROM = 1000
_SMALLEST_P = 1e-300


def shown(value: float | Null, form: Callable[[float], str], missing: str = DASH) -> str:
    """Return a reading in a form, or the sign for a missing one."""
    return missing if isinstance(value, Null) else form(value)


def figure(value: float) -> str:
    """Return a number with three significant digits; from 1000 on as a whole number."""
    if abs(value) >= _WHOLE_FROM - 0.5:
        return f"{value:.0f}"
    text = f"{value:#.3g}"
    return "0" if value == 0 else text.rstrip(".")


def ratio(value: float) -> str:
    """Return a share with three decimals; what only rounds to 0 or 1 says so."""
    text = f"{value:.3f}"
    if text == "0.000" and value > 0:
        return "<0.001"
    return ">0.999" if text == "1.000" and value < 1 else text


def bits(quant_rank: float) -> str:
    """Return bits per weight from a quant's rank."""
    return f"{quant_rank / 100:.2f}"


def p_value(value: float) -> str:
    """Return a p-value as `p = 1.2e-30`."""
    return f"p = {value:.2g}" if value >= _SMALLEST_P else f"p < {_SMALLEST_P:.0e}"


def flips(comparison: Comparison) -> str:
    """Return how many tasks a quant lost and won against the baseline, as `-4 +1`."""
    return f"-{comparison.correct_to_wrong} +{comparison.wrong_to_correct}"


def cpu_name(fingerprint: str | None) -> str:
    """Return a machine's CPU in a few words, from its fingerprint."""
    parts = (fingerprint or "").split("|")
    if len(parts) < 2:
        return "unknown machine"
    name = re.sub(r"\((r|tm|c)\)|@.*$", " ", parts[1].replace("_", " "))
    name = re.sub(r"\b(cpu|processor|\d+-core)\b", " ", name)
    return " ".join(name.split()) or "unknown CPU"


def escaped(text: str) -> str:
    """Return text on one line that Markdown shows as it is, in a table cell as elsewhere."""
    line = " ".join(text.split())
    line = re.sub(r"([\\`*<>\[\]|~])", r"\\\1", line)
    return re.sub(r"(?<!\w)_|_(?!\w)", r"\\_", line)
