"""A working folder in which a config can be resolved."""

from __future__ import annotations

from pathlib import Path
from shutil import copyfile
from typing import Any

import pytest
from builders import task

from orket_lib.artifacts.io import write_json

ROOT = Path(__file__).resolve().parents[1]
QUANTS = ("Q8_0", "Q4_K_M")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with two model files, a bank of four tasks, and the shipped settings files."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "models").mkdir()
    for quant in QUANTS:
        (tmp_path / "models" / f"nano-{quant}.gguf").write_bytes(quant.encode())
    (tmp_path / "config").mkdir()
    for name in ("kpi_policy.json", "context_profiles.json", "sidecar_profiles.json"):
        copyfile(ROOT / "config" / name, tmp_path / "config" / name)
    bank: dict[str, Any] = {
        "schema_version": "orket.task_bank.v1",
        "bank_id": "bank",
        "tasks": [task(number).model_dump(mode="json") for number in (1, 2, 3, 4)],
    }
    write_json(tmp_path / "bank.json", bank)
    return tmp_path
