"""The preflight as the workflow calls it: needs in, verdict out, and what comes of the verdict."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import pytest
import yaml

from orket_lib.cli import main
from orket_lib.sweep.load import load_sweep
from orket_lib.workflow.targets import Targets

ROOT = Path(__file__).resolve().parents[3]
NANO = ROOT / "models/orket-nano/orket-nano-F16.gguf"
VERDICT = "results/mine/preflight.json"
CONFIG = {
    "models": ["nano"],
    "quants": ["F16"],
    "task_bank": "config/task_banks/reference.json",
    "artifact_template": "{model}.gguf",
}


@pytest.fixture(autouse=True)
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder with the shipped settings, in which a model is a file next to the config."""
    (tmp_path / "config").symlink_to(ROOT / "config")
    monkeypatch.chdir(tmp_path)


def preflight(capsys: pytest.CaptureFixture[str], **changes: Any) -> tuple[int, str]:
    """Run the preflight of a config and the leaf behind it; return exit code and words."""
    Path("mine.yaml").write_text(yaml.safe_dump(CONFIG | changes), encoding="utf-8")
    needs = Targets(load_sweep(["mine.yaml"], {}, remember=False)).policy_json("needs")
    Path("needs.json").write_text(needs, encoding="utf-8")
    assert main(["preflight", "--needs", "needs.json", "--out", VERDICT]) == 0
    warned = capsys.readouterr().err
    code = main(["require", "--preflight", VERDICT])
    return code, warned + capsys.readouterr().err


def with_layers(layers: int) -> bytes:
    """Return the reference model's file with another number of layers in its header."""
    entry = b"llama.block_count" + struct.pack("<I", 4)
    content = NANO.read_bytes()
    assert entry + struct.pack("<I", 4) in content
    return content.replace(entry + struct.pack("<I", 4), entry + struct.pack("<I", layers))


def test_what_is_whole_and_fits_passes_in_silence(capsys: pytest.CaptureFixture[str]) -> None:
    Path("nano.gguf").write_bytes(NANO.read_bytes())
    assert preflight(capsys, vram_profile="stress") == (0, "")
    verdict = json.loads(Path(VERDICT).read_text(encoding="utf-8"))
    assert verdict["passed"] is True
    assert {"nano.gguf", "disk", "memory"} <= {check["name"] for check in verdict["checks"]}


def test_the_guard_warns_or_refuses_as_the_config_says(capsys: pytest.CaptureFixture[str]) -> None:
    Path("nano.gguf").write_bytes(with_layers(2**30))  # a KV cache of terabytes, on paper

    code, said = preflight(capsys)
    assert code == 0
    assert "preflight: warning: memory: nano.gguf takes about " in said
    assert "free in main memory (vram_profile safe)" in said
    assert main(["status", "--json", "mine.yaml"]) == 0
    status = json.loads(capsys.readouterr().out)
    assert status["preflight"].startswith("passed with a warning: memory: nano.gguf takes about")

    code, said = preflight(capsys, vram_guard="refuse", vram_profile="stress")
    assert code == 3
    assert "preflight: memory: nano.gguf takes about " in said
    assert "error: preflight failed:\n  memory: nano.gguf takes about" in said
    assert "\n    a smaller quant or n_ctx\n" in said
    assert "after fixing this, run: snakemake -R check_needs" in said


def test_a_damaged_file_is_named_with_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    Path("nano.gguf").write_bytes(NANO.read_bytes()[:1_000_000])
    code, said = preflight(capsys)
    assert code == 3
    assert "  nano.gguf: not a readable GGUF file: it is truncated: 1000000 of " in said
    assert "    download it again" in said
    assert "memory" not in said  # of nothing that is known


def test_a_config_that_changes_what_is_needed_is_another_file_for_the_workflow() -> None:
    Path("nano.gguf").write_bytes(NANO.read_bytes())

    def needs(**changes: Any) -> str:
        Path("mine.yaml").write_text(yaml.safe_dump(CONFIG | changes), encoding="utf-8")
        return Targets(load_sweep(["mine.yaml"], {}, remember=False)).policy_json("needs")

    assert needs() == needs(latency_ceiling=3, seed=7)
    changes = ({"n_ctx": 512}, {"vram_profile": "stress"}, {"vram_guard": "refuse"})
    assert len({needs(**change) for change in changes} | {needs()}) == 4
