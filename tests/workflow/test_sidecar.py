"""Hardware sidecars in a real sweep: measured apart from the runs, without affecting them."""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest
from sweep_workspace import Workspace

VIEW = "results/small/quant_sweep/sidecar/orket-nano/{quant}_hardware_sidecar.json"
# Prints everything for one quant, and hangs with the other one.
TOOL = """
import sys, time
if sys.argv[1] == "Q2_K":
    time.sleep(1000)
print("warming up")
print(FIELDS)
"""
FIELDS = {
    "memory_total_mb": 0,
    "memory_used_mb": 0,
    "ttft": 10.0,
    "prompt_tps": 1.0,
    "generation_tps": 2.0,
    "temp_start_c": 40,
    "temp_end_c": 41,
    "kernel_ms": 0.01,
    "load_ms": 50,
    "pcie_gbps": 1,
    "graph_warmup_ms": 1,
    "clock_mhz": 1,
    "power_watts": 1,
    "fan_percent": 1,
}


def template(workspace: Workspace) -> list[str]:
    """Return a template, and put its tool in place."""
    text = TOOL.replace("FIELDS", repr(json.dumps(FIELDS)))
    (workspace.folder / "tool.py").write_text(text, encoding="utf-8")
    return [sys.executable, "tool.py", "{quant_tag}"]


def rows(workspace: Workspace) -> dict[str, Any]:
    summary = workspace.json("results/small/quant_sweep/sweep_summary.json")
    return {row["quant_tag"]: row for row in summary["sessions"][0]["per_quant"]}


@pytest.fixture(autouse=True)
def smallest(workspace: Workspace) -> None:
    """Ask as little as possible: these tests are about files and statuses."""
    workspace.config |= {"task_limit": 1, "probe_runs": 1, "canary": {"runs": 0}}


@pytest.mark.slow
def test_a_sidecar_that_hangs_is_shown_in_its_row_and_measures_no_run_again(
    workspace: Workspace,
) -> None:
    assert workspace.run().code in (0, 1)  # the KPI gate may say no to so small a sweep
    assert rows(workspace)["F16"]["hardware_sidecar"] == "NOT_APPLICABLE"
    assert rows(workspace)["F16"]["sidecar"] is None
    before = workspace.sealed()

    workspace.config["hardware_sidecar"] = {
        "template": template(workspace),
        "timeout_sec": 8,
    }
    planned = workspace.planned()
    assert (planned["measure_sidecar"], planned["make_sidecar_view"], planned["make_row"]) == (
        2,
        2,
        2,
    )
    assert not {"measure_cell", "measure_canary"} & planned.keys()
    workspace.run()

    found = rows(workspace)
    assert (found["F16"]["hardware_sidecar"], found["F16"]["sidecar"]["errors"]) == ("OK", [])
    assert found["Q2_K"]["hardware_sidecar"] == "PARSE_ERROR"
    assert found["Q2_K"]["sidecar"]["errors"] == ["timeout"]
    assert found["Q2_K"]["invalid_because"] == []
    view = workspace.json(VIEW.format(quant="F16"))
    assert (view["schema_version"], view["ttft_ms"]) == ("sidecar.parse.v1", 10.0)
    assert view["source"]["ttft_ms"] == "template"
    report = workspace.folder / "results/small/quant_sweep/sweep_report.html"
    assert "Rely on the task runs to choose a quant" in report.read_text(encoding="utf-8")
    assert workspace.sealed() == before

    # Without a sidecar the rows are as they were, and with it again nothing is measured.
    hanging = workspace.config.pop("hardware_sidecar")
    assert not {"measure_cell", "measure_sidecar", "make_sidecar_view"} & workspace.planned().keys()
    workspace.run()
    assert rows(workspace)["Q2_K"]["hardware_sidecar"] == "NOT_APPLICABLE"
    assert rows(workspace)["Q2_K"]["sidecar"] is None
    workspace.config["hardware_sidecar"] = hanging
    planned = workspace.planned()
    assert "make_row" in planned
    assert not {"measure_cell", "measure_sidecar"} & planned.keys()
    workspace.config["hardware_sidecar"] = hanging | {"timeout_sec": 9}
    assert workspace.planned()["measure_sidecar"] == 2


@pytest.mark.slow
def test_cpu_only_measures_the_served_model_and_the_row_stays_valid(workspace: Workspace) -> None:
    workspace.config["quants"] = ["Q2_K"]
    workspace.config["hardware_sidecar"] = {"profile": "cpu_only"}

    workspace.run()

    view = workspace.json(VIEW.format(quant="Q2_K"))
    assert view["sidecar_parse_status"] in ("OK", "OPTIONAL_FIELD_MISSING")
    for field in ("ttft_ms", "prefill_tps", "decode_tps", "model_load_ms", "request_floor_ms"):
        assert view[field] > 0
        assert view["source"][field] == "profile"
    assert view["null_reasons"]["kernel_launch_ms"] == "NOT_MEASURED"
    assert view["null_reasons"]["vram_total_mb"] == "NO_GPU"
    assert view["request_floor_ms"] < view["ttft_ms"]
    row = rows(workspace)["Q2_K"]
    assert row["valid"], row["invalid_because"]
    assert row["sidecar"]["decode_tps"] == view["decode_tps"]
    (sidecar,) = workspace.folder.glob("storage/sidecars/orket-nano/Q2_K/*/*/sidecar.json")
    assert sidecar.is_file()
    assert (
        not {"measure_cell", "measure_sidecar", "make_sidecar_view", "make_row"}
        & workspace.planned().keys()
    )
