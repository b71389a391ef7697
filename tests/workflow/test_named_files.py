"""A target that the sweep doesn't make is one message, and not the traceback of a lookup."""

from __future__ import annotations

import re

import pytest
from sweep_workspace import Workspace, jobs

from orket_lib.vocabulary.errors import Refused
from orket_lib.workflow.named_files import refuse_unknown_files
from orket_lib.workflow.targets import Targets

PRODUCTS = [
    "results/mine/cells/nano/Q8_0/receipt.json",
    "results/mine/cells/nano/Q8_0/spec.json",
    "results/mine/quant_sweep/nano/Q8_0.json",
    "results/mine/quant_sweep/sweep_kpis.json",
    "results/mine/plan.json",
]


@pytest.mark.parametrize(
    ("target", "similar"),
    [
        ("cells/nano/Q4_K_M/receipt.json", "cells/nano/Q8_0/receipt.json"),
        ("cells/nano/Q8_0/round-2/spec.json", "cells/nano/Q8_0/spec.json"),
        ("cells/nano/Q8_0/sidecar_receipt.json", "cells/nano/Q8_0/receipt.json"),
        ("quant_sweep/nano/Q4_K_M.json", "quant_sweep/nano/Q8_0.json"),
        ("context_sweep/tiny/receipt.json", ""),
        ("thermal/tiny/series.json", ""),
        ("canary/closing_receipt.json", ""),
    ],
)
@pytest.mark.parametrize("option", ["-f", "--configfile=a.json"])
def test_a_file_that_the_sweep_does_not_make_is_refused(
    target: str, similar: str, option: str
) -> None:
    with pytest.raises(Refused, match=f"makes no such file; it makes, for example, .*{similar}"):
        refuse_unknown_files([option, f"results/mine/{target}"], "results/mine", PRODUCTS)


@pytest.mark.parametrize(
    "words",
    [
        *([path] for path in PRODUCTS),
        ["--report", "results/mine/quant_sweep/page.html"],
        ["--report", "results/mine/page.html"],
        ["results/mine"],
        ["results/mine/cells"],
        ["results/other/cells/nano/Q4_K_M/receipt.json"],
        ["-n", "kpis"],
    ],
    ids=" ".join,
)
def test_all_else_is_snakemakes(words: list[str]) -> None:
    refuse_unknown_files(words, "results/mine", PRODUCTS)


def test_everything_is_planned_where_it_is_asked_for_and_may_be_named(workspace: Workspace) -> None:
    workspace.config |= {
        "hardware_sidecar_profile": "cpu_only",
        "rounds": 2,
        "baseline_record": True,
        "baseline_compare": True,
        "baseline_gate": True,
        "canary": {"closing": True},
        "context": {"sweep_contexts": [256, 512], "search": "bisect"},
        "thermal": {"repeats": 2},
        "fidelity": "kld",
    }
    planned = workspace.run("-n", "-F").text
    assert "asked for one token at up to 2540 places" in planned
    rules = [
        *("measure_contexts", "find_context_ceiling", "keep_context_ceiling"),
        *("measure_thermal", "make_thermal_profile", "keep_thermal_profile"),
        *("measure_fidelity", "compute_kld", "check_contracts"),
    ]
    found = jobs(planned)
    assert [found.get(rule) for rule in rules] == [1] * len(rules)
    lines = re.findall(r"^ +output: (.+)$", planned, re.MULTILINE)
    made = {path.split()[0] for line in lines for path in line.split(", ")}
    made = {path for path in made if path.startswith("results/")}
    assert len(made) > 50
    assert made <= set(Targets(workspace.resolved()).all_files())
