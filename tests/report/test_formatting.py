"""How numbers and names are written for people."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest
from rich.console import Console
from rich.table import Table
from rich.text import Text

from orket_lib.report.formatting import (
    DASH,
    aligned,
    cpu_name,
    escaped,
    figure,
    p_value,
    ratio,
    shown,
)
from orket_lib.vocabulary.nulls import Null
from orket_lib.vocabulary.text import visible


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (0.027345, "0.0273"),
        (11.94, "11.9"),
        (100.0, "100"),
        (999.4, "999"),
        (999.5, "1000"),
        (999.7, "1000"),
        (2560.51, "2561"),
        (123456.0, "123456"),
        (-5.678, "-5.68"),
    ],
)
def test_a_figure_has_three_digits_or_is_whole(value: float, text: str) -> None:
    assert figure(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0.000"), (0.0001, "<0.001"), (0.97619, "0.976"), (0.9999, ">0.999"), (1.0, "1.000")],
)
def test_a_ratio_never_rounds_to_nothing_or_everything(value: float, text: str) -> None:
    assert ratio(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(1.0, "p = 1"), (0.03125, "p = 0.031"), (1.2345e-30, "p = 1.2e-30"), (0.0, "p < 1e-300")],
)
def test_a_p_value_keeps_two_digits(value: float, text: str) -> None:
    assert p_value(value) == text


def test_a_null_is_a_dash_and_zero_is_not() -> None:
    assert shown(Null("WHY"), figure) == DASH
    assert shown(Null("WHY"), figure, "-") == "-"
    assert shown(0.0, figure) == "0"


@pytest.mark.parametrize(
    ("fingerprint", "name"),
    [
        (
            "linux|intel(r)_xeon(r)_platinum_8488c_cpu_@_2.40ghz|4|16|none",
            "intel xeon platinum 8488c",
        ),
        ("linux|amd_epyc_7763_64-core_processor|64|256|none", "amd epyc 7763"),
        ("darwin|apple_m2|8|16|none", "apple m2"),
        (None, "unknown machine"),
        ("other", "unknown machine"),
    ],
)
def test_a_cpu_is_named_in_short(fingerprint: str | None, name: str) -> None:
    assert cpu_name(fingerprint) == name


def test_text_can_break_neither_table_nor_emphasis() -> None:
    assert escaped("a | b\n*c* `d` <e> [f] _g_ h_i") == (
        r"a \| b \*c\* \`d\` \<e\> \[f\] \_g\_ h_i"
    )
    assert escaped("\\|") == r"\\\|"


def test_columns_are_as_a_table_of_rich_has_them() -> None:
    dice = random.Random(1)
    cells = [
        "",
        "Q8_0",
        "a b",
        "模型",
        "é",
        "e\u0301",
        "👩\u200d🔬 x",
        "two\nlines",
        "trailing ",
        "\x1b[31m",
        "ﾊﾝ",
    ]
    for _ in range(300):
        columns = dice.randint(1, 4)
        rows = [dice.choices(cells, k=dice.randint(1, columns)) for _ in range(dice.randint(0, 5))]
        assert aligned(rows, indent=2) == table_of_rich(rows, indent=2)


def table_of_rich(rows: Sequence[Sequence[str]], indent: int) -> list[str]:
    if not rows:
        return []
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    for row in rows:
        table.add_row(*(Text(visible(cell.replace("\n", " "), keep="")) for cell in row))
    console = Console(width=10_000, color_system=None, force_terminal=False, _environ={})
    with console.capture() as capture:
        console.print(table, soft_wrap=True)
    return [f"{' ' * indent}{line}".rstrip() for line in capture.get().splitlines()]
