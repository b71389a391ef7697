"""Quants that are made on the way, in a real sweep: made once, and never a reason to measure."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import quantizers
from sweep_workspace import ROOT, Workspace

from orket_lib.artifacts.io import sha256_of_file

MODELS = ROOT / "models" / "orket-nano"
MEASURING = {"measure_cell", "measure_canary", "measure_sidecar"}
WRONG = "ORKET_SIMULATED_QUANTIZE"


@pytest.fixture(autouse=True)
def on_the_way(workspace: Workspace) -> None:
    """A base, a program, and nothing else; the folder has a space, which no rule may stumble on."""
    tools = workspace.folder / "my tools"
    tools.mkdir()
    program = quantizers.real() or quantizers.simulated(tools)
    del workspace.config["artifact_template"]
    workspace.config |= {
        "quants": ["Q4_K_M", "Q2_K"],
        "task_limit": 1,
        "probe_runs": 1,
        "canary": {"runs": 2, "drop_first_run": False, "latency_variance_threshold": 100},
        "quantize": {
            "base": "models/orket-nano/orket-nano-F16.gguf",
            "binary": program.relative_to(workspace.folder).as_posix()
            if program.is_relative_to(workspace.folder)
            else str(program),
        },
    }


def made_files(workspace: Workspace) -> dict[str, Path]:
    found = workspace.folder.glob("storage/quantized/*/*/*.gguf")
    return {path.stem.removeprefix("orket-nano-"): path for path in found}


def rows(workspace: Workspace) -> dict[str, Any]:
    summary = workspace.json("results/small/quant_sweep/sweep_summary.json")
    return {row["quant_tag"]: row for row in summary["sessions"][0]["per_quant"]}


@pytest.mark.slow
def test_what_is_made_is_measured_and_what_is_deleted_is_not_measured_again(
    workspace: Workspace,
) -> None:
    planned = workspace.planned()
    assert (planned["measure_cell"], planned["measure_canary"]) == (2, 1)
    result = workspace.run()
    assert result.code in (0, 1), result.text  # the KPI gate may say no to so small a sweep
    assert set(made_files(workspace)) == {"Q4_K_M", "Q2_K"}
    for quant, path in made_files(workspace).items():
        assert rows(workspace)[quant]["valid"], rows(workspace)[quant]["invalid_because"]
        assert rows(workspace)[quant]["artifact"]["sha256"] == sha256_of_file(path)
        assert sha256_of_file(path) == sha256_of_file(MODELS / f"orket-nano-{quant}.gguf")
        assert path.with_suffix(".json").is_file()
    before = workspace.sealed()
    assert not workspace.planned().keys() & (MEASURING)

    # The files are gone: nothing needs them.
    shutil.rmtree(workspace.folder / "storage" / "quantized")
    assert not workspace.planned().keys() & (MEASURING)

    # Another cell needs only its own.
    workspace.config["quants"] = ["Q4_K_M", "Q3_K_M", "Q2_K"]
    planned = workspace.planned()
    assert planned["write_spec"] >= 1
    workspace.run()
    assert set(made_files(workspace)) == {"Q3_K_M"}
    assert "Q3_K_M" in rows(workspace)

    # So does another kind of measurement, and none that is done is done again for that.
    workspace.config["hardware_sidecar_profile"] = "cpu_only"
    workspace.config["adherence_threshold"] = 0.1
    planned = workspace.planned()
    assert (planned["measure_sidecar"], planned["make_row"]) == (3, 3)
    assert not planned.keys() & {"measure_cell", "measure_canary"}
    del workspace.config["hardware_sidecar_profile"]

    # A measurement that is to be repeated gets its file again.
    (lost,) = (path for path in before if "Q2_K" in path.parts)
    shutil.rmtree(lost)
    planned = workspace.planned()
    assert planned["measure_cell"] == 1
    assert planned.keys().isdisjoint({"measure_canary", "measure_sidecar"})


@pytest.mark.slow
def test_a_quant_that_can_not_be_made_stops_its_cell_and_is_named(workspace: Workspace) -> None:
    workspace.config["canary"] = {"runs": 0}
    del workspace.config["quantize"]["binary"]
    refused = workspace.run()
    assert refused.code == 1
    assert "preflight: llama-quantize: no such program" in refused.text
    assert "set quantize.binary to its path" in refused.text
    assert made_files(workspace) == {}

    program = quantizers.simulated(workspace.folder)
    workspace.config["quantize"]["binary"] = f"./{program.name}"
    failed = workspace.run(env={WRONG: "lie"})
    assert failed.code == 1
    assert "it has 3.13 bits per weight, Q4_K_M has about 4.89: it is unusable" in failed.text
    assert "Traceback" not in failed.text
    assert set(made_files(workspace)) == {"Q2_K"}  # which it is, whatever it lies about
    assert [path.parent.name for path in workspace.runs()] == ["Q2_K"]

    assert workspace.run().code in (0, 1)
    assert set(made_files(workspace)) == {"Q4_K_M", "Q2_K"}
    assert set(rows(workspace)) == {"Q4_K_M", "Q2_K"}
