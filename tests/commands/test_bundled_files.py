"""Which files of a bundle belong to its sweep: the others are not packed, and named by verify."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from orket_lib.artifacts.bundle import BundledFile, BundleManifest
from orket_lib.artifacts.digest import canonical_json
from orket_lib.artifacts.io import sha256_of_file, write_json
from orket_lib.cli import main
from orket_lib.commands.evidence.recompute import recompute
from orket_lib.commands.evidence.steps import Steps
from orket_lib.stores.bundles import pack
from orket_lib.vocabulary.errors import ArtifactError

RESULTS = "results/mine"
VIEWS = f"{RESULTS}/quant_sweep"
POLICY = "inputs/kpi_policy/kpi.json"


@pytest.fixture
def sweep(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The policies of a sweep of one cell, in the current folder."""
    monkeypatch.chdir(tmp_path)
    config = {
        "models": ["nano"],
        "quants": ["Q8_0"],
        "provider": "embedded",
        "artifact_template": "{model}-{quant}.gguf",
        "task_bank": "config/task_banks/reference.json",
    }
    write_json(Path(RESULTS, "policy/matrix.json"), config)
    write_json(Path(RESULTS, "policy/receipts.json"), {"paths": ["nano/Q8_0/receipt.json"]})


@pytest.mark.usefixtures("sweep")
def test_each_file_is_a_measurement_or_made_by_a_step_or_compared_by_hash() -> None:
    ours = [
        *(POLICY, "inputs/bank/reference.json", "storage/runs/nano/Q8_0/abc/parts/1/answers.json"),
        *(f"{RESULTS}/{name}.json" for name in ("plan", "preflight", "policy/row", "started")),
        *(f"{RESULTS}/cells/nano/Q8_0/{name}.json" for name in ("spec", "receipt", "run")),
        *(f"{RESULTS}/canary/{name}" for name in ("closing_receipt.json", "passed.ok")),
        *(f"{RESULTS}/thermal/nano/{name}.json" for name in ("series", "receipt")),
        *(f"{VIEWS}/{name}" for name in ("nano/Q8_0.json", "sweep_summary.json", "kpi_gate.json")),
        *(f"{VIEWS}/{name}" for name in ("plots/frontier.png", "regression.json")),
    ]
    assert list(Steps("mine", POLICY, ours).strangers()) == []

    strange = [
        *("README.html", f"{RESULTS}/looks/nano/0.json", "results/other/plan.json"),
        *(f"{VIEWS}/nano/receipt.json", f"{VIEWS}/nano/Q2_K.json", f"{VIEWS}/sweep_final.html"),
        f"{RESULTS}/cells/nano/Q2_K/run.json",
    ]
    assert list(Steps("mine", POLICY, [*ours, *strange]).strangers()) == sorted(strange)

    without = [name for name in ours if name != f"{RESULTS}/thermal/nano/receipt.json"]
    unsealed = [f"{RESULTS}/thermal/nano/series.json"]
    assert list(Steps("mine", POLICY, without).strangers()) == unsealed


@pytest.mark.usefixtures("sweep")
@pytest.mark.parametrize("field", ["bank", "kpi_policy"])
def test_a_bank_or_policy_outside_of_the_bundle_is_not_read(field: str, tmp_path: Path) -> None:
    other = tmp_path / "other.json"
    other.write_text("{}")
    inside = BundledFile(path=POLICY, bytes=0, sha256="")
    names = {"bank": POLICY, "kpi_policy": POLICY} | {field: str(other)}
    manifest = BundleManifest(sweep="mine", bundled_with={}, files=(inside,), **names)
    with pytest.raises(ArtifactError, match=r"other\.json: the manifest names it, and the bundle"):
        recompute(manifest)


def bundle_of(summary: bytes, folder: Path, signature: bytes | None = None) -> Path:
    """Return a bundle that has nothing but a summary."""
    path, name = folder / "summary.json", f"{VIEWS}/sweep_summary.json"
    path.write_bytes(summary)
    listed = BundledFile(path=name, bytes=len(summary), sha256=sha256_of_file(path))
    manifest = BundleManifest(
        sweep="mine", bank=POLICY, kpi_policy=POLICY, bundled_with={}, files=(listed,)
    )
    content = canonical_json(manifest.model_dump(mode="json")).encode()
    pack(folder / "mine.zip", content, {name: path}, signature)
    return folder / "mine.zip"


def test_a_commit_of_a_stranger_adds_no_line_to_what_is_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle = bundle_of(b'{"commit_sha": "c0ffee\\nverified\\n"}', tmp_path)
    assert main(["verify", str(bundle)]) == 3
    said = capsys.readouterr().out.splitlines()
    assert "verified" not in said
    (line,) = (
        line for line in said if line.startswith("made in a folder at commit c0ffee\\nverified")
    )
    assert line.endswith(", whose rules may differ")


def test_without_ssh_keygen_the_rest_of_a_signed_bundle_is_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle, key = bundle_of(b"{}", tmp_path, b"signature"), tmp_path / "key.pub"
    key.write_text("ssh-ed25519 AAAA me")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert main(["verify", str(bundle)]) == 3
    assert "\nsignature: not checked: ssh-keygen: there is no such" in capsys.readouterr().out
    assert main(["verify", str(bundle), "--key", str(key)]) == 1
    assert "ssh-keygen: there is no such program" in capsys.readouterr().err


@pytest.mark.skipif(os.name == "nt", reason="devices of POSIX")
def test_a_device_is_not_hashed() -> None:
    with pytest.raises(OSError, match="is a device or pipe"):
        sha256_of_file(Path(os.devnull))
