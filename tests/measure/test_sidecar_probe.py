"""`orket sidecar-probe`, alone."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from nvml_replay import load_trace, nvml_of

from orket_lib.artifacts.io import read_model
from orket_lib.artifacts.sidecar import SidecarReport, SidecarSpec
from orket_lib.cli import main
from orket_lib.measure import sidecar
from orket_lib.telemetry.devices.opening import Devices
from orket_lib.vocabulary.statuses import SidecarStatus


def probe(tmp_path: Path, backend: str, model: Path) -> tuple[int, Path]:
    out = tmp_path / "out" / "probe.json"
    options = ["--backend", backend, "--model", str(model), "--quant", "q8_0", "--out", str(out)]
    return main(["sidecar-probe", *options]), out


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    model = tmp_path / "broken.gguf"
    model.write_bytes(b"GGUF" + bytes(64))
    return model


def test_what_came_of_it_is_written_whatever_it_is(
    tmp_path: Path, broken: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out = probe(tmp_path, "cpu", broken)
    report = read_model(out, SidecarReport)
    assert (code, report.model_id, report.quant_tag) == (0, "broken", "Q8_0")
    assert report.sidecar_parse_status is SidecarStatus.PARSE_ERROR
    assert "PARSE_ERROR: model_not_loaded" in capsys.readouterr().err


@pytest.mark.parametrize("backend", ["nvidia", "amd"])
def test_hardware_that_is_not_here_is_a_result(
    tmp_path: Path, broken: Path, monkeypatch: pytest.MonkeyPatch, backend: str
) -> None:
    monkeypatch.setattr(sidecar, "open_devices", lambda _: nullcontext(Devices()))
    code, out = probe(tmp_path, backend, broken)
    report = read_model(out, SidecarReport)
    assert (code, report.sidecar_parse_status) == (0, SidecarStatus.NOT_APPLICABLE)
    assert report.sidecar_parse_errors == (f"{backend}_smi_unavailable",)


def test_a_gpu_is_measured_with_the_user_s_own_server_and_all_layers_on_it(
    tmp_path: Path, broken: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[SidecarSpec] = []
    right = sidecar.measure_sidecar

    def spied(spec: SidecarSpec, *rest: Any) -> Any:
        seen.append(spec)
        return right(spec, *rest)

    monkeypatch.setattr(sidecar, "measure_sidecar", spied)
    monkeypatch.setenv("PATH", str(tmp_path))
    with nvml_of(load_trace("two_cards")):
        code, out = probe(tmp_path, "nvidia", broken)
    (spec,) = seen
    assert spec.serving is not None
    assert (spec.serving.provider, spec.serving.server_args) == (
        "llama_server",
        ("--n-gpu-layers", "999"),
    )
    report = read_model(out, SidecarReport)
    assert (code, report.sidecar_parse_errors) == (0, ("llama_server_not_found",))


def test_a_model_that_is_not_there_is_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out = probe(tmp_path, "cpu", tmp_path / "missing.gguf")
    assert (code, out.exists()) == (1, False)
    assert "missing.gguf: can't be read" in capsys.readouterr().err
