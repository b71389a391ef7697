"""A target of a cell that the sweep doesn't have is one message, and not a lookup's traceback."""

from __future__ import annotations

import pytest

from orket_lib.vocabulary.errors import Refused
from orket_lib.workflow.named_cells import refuse_unknown_cells

CELLS = [("nano", "Q8_0"), ("nano", "Q2_K"), ("big", "Q8_0")]


@pytest.mark.parametrize(
    ("target", "named"),
    [
        ("cells/nano/Q4_K_M/receipt.json", "nano/Q4_K_M"),
        ("cells/nano/Q4_K_M/round-2/run.json", "nano/Q4_K_M"),
        ("cells/big/Q2_K/spec.json", "big/Q2_K"),
        ("quant_sweep/nano/Q4_K_M.json", "nano/Q4_K_M"),
        ("quant_sweep/sidecar/tiny/Q8_0_hardware_sidecar.json", "tiny/Q8_0"),
        ("context_sweep/tiny/receipt.json", "tiny"),
        ("thermal/tiny/series.json", "tiny"),
    ],
)
def test_a_cell_that_the_sweep_has_not_is_refused(target: str, named: str) -> None:
    with pytest.raises(Refused, match=f"this sweep has no {named}; it has big/Q8_0, nano/Q2_K"):
        refuse_unknown_cells(["-f", f"results/mine/{target}"], "results/mine", CELLS)


@pytest.mark.parametrize(
    "word",
    [
        "results/mine/cells/nano/Q2_K/receipt.json",
        "results/mine/quant_sweep/nano/Q8_0.json",
        "results/mine/quant_sweep/sidecar/nano/Q8_0_hardware_sidecar.json",
        "results/mine/quant_sweep/sweep_kpis.json",
        "results/mine/thermal/big/series.json",
        "results/mine/plan.json",
        "results/mine",
        "results/other/cells/nano/Q4_K_M/receipt.json",
        "-n",
        "kpis",
    ],
)
def test_all_else_is_snakemakes(word: str) -> None:
    refuse_unknown_cells([word], "results/mine", CELLS)
