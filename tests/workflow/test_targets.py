"""What the workflow renders says everything that its views depend on."""

from __future__ import annotations

from pathlib import Path

import pytest
from config_folder import folder

from orket_lib.artifacts.io import write_json
from orket_lib.sweep.load import load_sweep
from orket_lib.workflow.targets import Targets

__all__ = ["folder"]


def settings_of_rows(**config: object) -> str:
    """Return the file that all rows of a sweep depend on."""
    template = "models/{model}/nano-{quant}.gguf"
    cells = {"models": ["nano"], "quants": ["Q8_0"], "artifact_template": template}
    write_json(Path("mine.json"), {**cells, "task_bank": "bank.json", **config})
    sweep = load_sweep(["mine.json"], {}, remember=False)
    return Targets(sweep).rendered()["results/mine/policy/row.json"]()


@pytest.mark.usefixtures("folder")
def test_turning_a_sidecar_off_changes_what_rows_depend_on() -> None:
    """With `--rerun-triggers mtime` nothing else makes Snakemake remake them."""
    Path("models", "nano").mkdir()
    Path("models", "nano-Q8_0.gguf").rename("models/nano/nano-Q8_0.gguf")
    without = settings_of_rows()
    with_sidecar = settings_of_rows(hardware_sidecar_profile="cpu_only")
    assert without != with_sidecar
    assert settings_of_rows() == without
