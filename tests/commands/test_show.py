"""What the workflow prints at its end, of this config and no other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from contract_examples import example
from explorer_artifacts import context_ceiling

from orket_lib.artifacts.io import write_json
from orket_lib.artifacts.summary import Summary
from orket_lib.commands.show import show_summary


def written(folder: Path, **matrix: Any) -> None:
    content = example(Summary, whole=True) | {"matrix": {"sweep": "small", **matrix}}
    content["sessions"][0]["model_id"] = "nano"
    write_json(folder / "quant_sweep" / "sweep_summary.json", content)
    for model in ("nano", "removed"):
        path = folder / "context_sweep" / model / "context_ceiling.json"
        write_json(path, context_ceiling(model_id=model, recommendation=f"{model}: up to 512"))


@pytest.mark.parametrize(
    "matrix",
    [{"context_sweep_contexts": [512]}, {"context_sweep_profile": "safe"}],
    ids=["contexts", "profile"],
)
def test_what_a_context_sweep_found_is_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], matrix: dict[str, Any]
) -> None:
    written(tmp_path, **matrix)
    show_summary(tmp_path, 0.0)
    said = capsys.readouterr().err
    assert "context: nano: up to 512\n" in said
    assert "removed" not in said


def test_what_an_older_config_found_is_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    written(tmp_path, context_sweep_contexts=None, context_sweep_profile=None)
    show_summary(tmp_path, 0.0)
    assert "up to 512" not in capsys.readouterr().err
