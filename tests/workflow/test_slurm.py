"""What Slurm is asked for, and what a job is granted; `.ci/slurm` runs whole sweeps in its jobs."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path

import psutil
import pytest
import yaml
from large_sweeps import large_sweep
from slurm_cluster import HERE, OTHER, cluster, missing
from sweep_workspace import ROOT, Workspace

from orket_lib.workflow.invocation import where_jobs_run

GRANTED = "from orket_lib.telemetry.devices.granted import granted; print(granted('nvidia'))"
PROFILE = ROOT / "profiles" / "slurm" / "profile.yaml"


def asked(text: str, rule: str) -> set[str]:
    """Return the GPUs that a dry run asks for, for each job of a rule."""
    jobs = text.split(f"\nrule {rule}:\n")[1:]
    return {job.split("gpu=")[1][0] for job in jobs}


def test_a_gpu_is_asked_for_only_where_a_model_may_be_served_on_one(tmp_path: Path) -> None:
    (tmp_path / "cpu").mkdir()
    on_cpu = Workspace(tmp_path / "cpu").run("-n")
    assert asked(on_cpu.text, "measure_cell") == {"0"}, on_cpu.text
    assert asked(on_cpu.text, "measure_canary") == {"0"}
    on_gpu = large_sweep(tmp_path / "gpu", 10).run("-n")
    assert asked(on_gpu.text, "measure_cell") == {"1"}, on_gpu.text


def test_a_message_repeats_where_the_jobs_run() -> None:
    typed = ["snakemake", "-n", "--workflow-profile=profiles/slurm", "--executor", "slurm", "all"]
    assert where_jobs_run(typed) == [
        *("--workflow-profile", "profiles/slurm", "--executor", "slurm")
    ]
    assert where_jobs_run(["snakemake", "--configfile", "executor.yaml"]) == []


@pytest.mark.skipif(
    importlib.util.find_spec("snakemake_executor_plugin_slurm") is None,
    reason='Slurm\'s plugin is not installed (pip install -e ".[slurm]")',
)
def test_every_setting_of_the_profile_is_one_of_the_plugin(workspace: Workspace) -> None:
    planned = workspace.run("-n", "--workflow-profile", str(PROFILE.parent))
    assert planned.code == 0, planned.text
    (workspace.folder / "profile").mkdir()
    wrong = yaml.safe_load(PROFILE.read_text(encoding="utf-8")) | {"slurm-squeue": True}
    (workspace.folder / "profile" / "profile.yaml").write_text(yaml.safe_dump(wrong))
    refused = workspace.run("-n", "--workflow-profile", "profile")
    assert refused.code != 0, "unknown settings pass, so the first run shows nothing"


@pytest.mark.slow
@pytest.mark.skipif(bool(missing()), reason=f"no Slurm: {missing()}")
@pytest.mark.skipif(os.name != "posix" or os.getuid() != 0, reason="needs root, to mount")
def test_a_job_sees_what_slurm_granted_it_and_no_daemon_is_left(tmp_path: Path) -> None:
    with cluster(tmp_path) as slurm:
        python = (sys.executable, "-c", GRANTED)
        boots = [
            slurm.ask("srun", "-p", node, "cat", "/proc/sys/kernel/random/boot_id")
            for node in (HERE, OTHER)
        ]
        assert boots[0] != boots[1] and all(boots), "each node is a machine of its own"
        assert slurm.ask("srun", *python).strip() == "None"
        assert slurm.ask("srun", "--gpus=1", *python).strip() == "('0',)"
        slurm.lose_node(OTHER)
        slurm.start_node(OTHER)
    left = [it for it in psutil.Process().children(recursive=True) if "slurm" in it.name()]
    assert left == []
