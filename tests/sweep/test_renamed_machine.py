"""Measurements under another name of this machine are kept, and that is said."""

from __future__ import annotations

from pathlib import Path

import builders
import pytest

from orket_lib.artifacts.measurements.parts import PartIndex
from orket_lib.artifacts.measurements.spec import RunSpec
from orket_lib.sweep import renamed_machine
from orket_lib.sweep.renamed_machine import measured_under_other_names

OLD, NEW, WHOLE = "linux|aarch64|4|8|none", "linux|board|4|8|none", "linux|board|8|8|none"


def spec(machine: str, quant: str = "Q4_K_M") -> RunSpec:
    return builders.spec(machine=machine, quant_tag=quant)


def measured(storage: Path, *specs: RunSpec) -> None:
    """Put a sealed part into the store of each cell."""
    for item in specs:
        folder = storage / item.folder / "parts" / "20261129T000000.000Z"
        folder.mkdir(parents=True)
        part = {"kind": "answers", "file": "a.json", "sha256": "0" * 64, "items": []}
        index = PartIndex.model_validate({"measured_at": "2026-11-29T00:00:00Z", "parts": [part]})
        (folder / "index.json").write_text(index.model_dump_json(), encoding="utf-8")


def warned(
    patch: pytest.MonkeyPatch, storage: Path, *specs: RunSpec, whole: str | None = None
) -> list[str]:
    patch.setattr(renamed_machine, "older_fingerprints", lambda: (OLD,))
    patch.setattr(renamed_machine, "without_limit", lambda: whole)
    return list(measured_under_other_names(specs, storage))


def test_t34_measurements_under_the_older_name_are_counted_with_what_to_type(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    measured(tmp_path, spec(OLD))
    (text,) = warned(monkeypatch, tmp_path, spec(NEW), spec(NEW, "Q8_0"))
    assert text.startswith("machine: 1 of 2 cells were measured under this machine's older name")
    assert text.endswith(f'--config machine="{OLD}"')


def test_t33_measurements_without_the_limit_are_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    measured(tmp_path, spec(WHOLE))
    (text,) = warned(monkeypatch, tmp_path, spec(NEW), whole=WHOLE)
    assert "1 of 1 cells were measured here with all CPUs (linux|board|8|8|none)" in text


def test_nothing_is_said_where_nothing_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert warned(monkeypatch, tmp_path, spec(NEW)) == [], "never measured"
    measured(tmp_path, spec(OLD), spec(NEW))
    assert warned(monkeypatch, tmp_path, spec(NEW)) == [], "measured under the new name, too"
    measured(tmp_path, spec(OLD, "Q2_K"))
    assert warned(monkeypatch, tmp_path, spec(NEW)) == [], "of another cell"
    measured(tmp_path, spec(WHOLE))
    assert warned(monkeypatch, tmp_path, spec(NEW)) == [], "no limit"
