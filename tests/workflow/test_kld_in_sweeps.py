"""`fidelity: kld` in a real sweep: measured once, compared for nothing."""

from __future__ import annotations

import pytest
from sweep_workspace import Workspace

KLD = "results/small/fidelity/orket-nano/kld.json"
CHEAP = {"task_limit": 30, "runs_per_quant": 1, "probe_runs": 1, "canary": {"runs": 0}}


@pytest.mark.slow
def test_probabilities_are_measured_once(workspace: Workspace) -> None:
    workspace.config |= CHEAP | {"fidelity": "kld", "quants": ["F16", "Q8_0", "Q2_K"]}
    planned = workspace.planned("fidelity")
    assert "make_row" in planned and "make_summary" not in planned
    done = workspace.run("fidelity")
    assert done.code == 0, done.text
    found = workspace.json(KLD)
    assert found["baseline_quant"] == "F16"
    floor, (near, far) = found["noise_floor"]["text"], found["quants"]
    assert (floor["metric"], floor["positions"], floor["blocks"]) == ("kld", 1260, 20)
    assert floor["mean"] < near["text"]["mean"] < 0.01 < 0.1 < far["text"]["mean"]
    assert near["answers"]["blocks"] == 30 and near["text"]["same_top"] > 0.95
    low, high = far["text"]["mean_interval"]
    assert low < far["text"]["mean"] < high
    sealed = sorted(workspace.folder.glob("storage/next_tokens/*/*/*/*/next_tokens.json"))
    assert len(sealed) == 4
    assert "measure_fidelity" not in workspace.planned("fidelity")

    # Another text is another measurement; that of before is found again.
    (workspace.folder / "my.txt").write_text("one two three four five " * 200, encoding="utf-8")
    workspace.config["fidelity_text"] = "my.txt"
    assert workspace.run("fidelity").code == 0
    assert workspace.json(KLD)["text"] == "my.txt"
    del workspace.config["fidelity_text"]
    assert workspace.run("fidelity").code == 0
    again = sorted(workspace.folder.glob("storage/next_tokens/*/*/*/*/next_tokens.json"))
    assert len(again) == 8 and set(sealed) < set(again)
    assert workspace.json(KLD)["quants"] == found["quants"]
