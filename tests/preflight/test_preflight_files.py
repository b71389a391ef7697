"""What a preflight says of files that are made on the way."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import quantizers

from orket_lib.artifacts.views.preflight import (
    QUANTIZE_BINARY,
    NeededModel,
    Needs,
    PreflightCheck,
)
from orket_lib.preflight.checks import check_all

MODELS = Path(__file__).resolve().parents[2] / "models" / "orket-nano"
BASE = (MODELS / "orket-nano-F16.gguf").as_posix()


def made(folder: Path, quant: str, **changes: Any) -> NeededModel:
    values: dict[str, Any] = {
        "model_id": "nano",
        "quant_tag": quant,
        "file": (folder / f"nano-{quant}.gguf").as_posix(),
        "base": BASE,
        "run": (folder / f"{quant}.json").as_posix(),
    }
    return NeededModel(**(values | changes))


def checks(folder: Path, *models: NeededModel, binary: str) -> dict[str, PreflightCheck]:
    needs = Needs(
        provider="embedded", models=models, programs={QUANTIZE_BINARY: binary}, cpu_only=True
    )
    return {check.name: check for check in check_all(needs, folder)}


def test_what_is_made_is_weighed_before_it_is_there(tmp_path: Path) -> None:
    binary = str(quantizers.simulated(tmp_path))
    wanted = [made(tmp_path, quant) for quant in ("Q8_0", "Q4_K_M")]
    found = checks(tmp_path, *wanted, binary=binary)
    assert all(check.ok for check in found.values())
    assert found[BASE].detail == "F16, 6.3 MiB; about 5 MiB to be made from it"
    assert "205 MiB needed, 5 of them for models that are made" in found["disk"].detail
    assert found["memory"].detail.startswith(f"{wanted[0].file} takes most: about")
    assert found[binary].ok


def test_what_is_there_already_takes_nothing(tmp_path: Path) -> None:
    shutil.copyfile(MODELS / "orket-nano-Q8_0.gguf", tmp_path / "nano-Q8_0.gguf")
    found = checks(tmp_path, made(tmp_path, "Q8_0"), binary="no such program")
    assert all(check.ok for check in found.values())
    assert found[BASE].detail == "F16, 6.3 MiB; nothing to make"
    assert "no such program" not in found


def test_everything_that_is_missing_is_named_at_once(tmp_path: Path) -> None:
    (tmp_path / "base.gguf").write_bytes(b"GGUF")
    broken = made(tmp_path, "Q8_0", base=(tmp_path / "base.gguf").as_posix())
    weighted = made(tmp_path, "Q4_K_M", imatrix="no.dat")
    found = checks(tmp_path, broken, weighted, binary="llama-quantise")
    assert {name for name, check in found.items() if not check.ok} == {
        broken.base,
        "no.dat",
        "llama-quantise",
    }
    assert found["llama-quantise"].remedy == "set quantize.binary to its path"
    assert found[str(broken.base)].remedy == "download it again"


def test_a_disk_without_room_for_what_is_made_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Disk(NamedTuple):
        free: int

    monkeypatch.setattr(shutil, "disk_usage", lambda folder: Disk(202 * 2**20))
    binary = str(quantizers.simulated(tmp_path))
    assert checks(tmp_path, made(tmp_path, "Q2_K"), binary=binary)["disk"].ok
    assert not checks(tmp_path, made(tmp_path, "Q8_0"), binary=binary)["disk"].ok
