"""`orket sidecar-probe`, alone."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import Any, NoReturn

import pytest
from nvml_replay import load_trace, nvml_of

from orket_lib.artifacts.io import read_model
from orket_lib.artifacts.measurements.sidecar import SidecarReport, SidecarSpec
from orket_lib.cli import main
from orket_lib.commands import sidecar_probe
from orket_lib.measure.sidecar import sidecar
from orket_lib.telemetry.devices.opening import Devices
from orket_lib.vocabulary.statuses import SidecarStatus

NANO = Path(__file__).parents[3] / "models" / "orket-nano" / "orket-nano-Q2_K.gguf"


def probe(tmp_path: Path, backend: str, model: Path, *more: str) -> tuple[int, Path]:
    out = tmp_path / "out" / "probe.json"
    options = ["--backend", backend, "--model", str(model), "--quant", "q8_0", "--out", str(out)]
    return main(["sidecar-probe", *options, *more]), out


def _must_not_wait(*_: object) -> NoReturn:
    pytest.fail("waits for a device only to say that there is none")


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """Return a model whose file is whole, and that no server can load."""
    whole = NANO.read_bytes()
    name = len(b"llama").to_bytes(8, "little") + b"llama"
    assert name in whole
    model = tmp_path / "broken.gguf"
    model.write_bytes(whole.replace(name, name.replace(b"llama", b"bogus"), 1))
    return model


def test_what_came_of_it_is_written_whatever_it_is(
    tmp_path: Path, broken: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out = probe(tmp_path, "cpu", broken)
    report = read_model(out, SidecarReport)
    assert (code, report.model_id, report.quant_tag) == (0, "broken", "Q8_0")
    assert report.sidecar_parse_status is SidecarStatus.PARSE_ERROR
    status, *more = capsys.readouterr().err.splitlines()[-2:]
    assert status == "PARSE_ERROR: model_not_loaded"
    (detail,) = more
    assert detail.startswith("model_not_loaded: ")
    assert len(detail) > len("model_not_loaded: ")


@pytest.mark.parametrize("backend", ["cpu", "nvidia"])
def test_a_file_that_is_no_model_is_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], backend: str
) -> None:
    model = tmp_path / "notes.gguf"
    model.write_text("no model", encoding="ascii")
    code, out = probe(tmp_path, backend, model)
    assert (code, out.exists()) == (1, False)
    said = capsys.readouterr().err
    assert "notes.gguf: not a readable GGUF file: it is no model: it does not begin" in said


@pytest.mark.parametrize("backend", ["nvidia", "amd"])
def test_hardware_that_is_not_here_is_a_result(
    tmp_path: Path, broken: Path, monkeypatch: pytest.MonkeyPatch, backend: str
) -> None:
    monkeypatch.setattr(sidecar, "open_devices", lambda _: nullcontext(Devices()))
    monkeypatch.setattr(sidecar, "device_locks", _must_not_wait)
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

    monkeypatch.setattr(sidecar_probe, "measure_sidecar", spied)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sidecar, "device_locks", _must_not_wait)
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


@pytest.mark.parametrize("limit", ["nan", "inf", "-1", "0", "1e300", "soon", ""])
def test_a_time_limit_that_is_none_is_wrong_usage(
    tmp_path: Path, broken: Path, capsys: pytest.CaptureFixture[str], limit: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        probe(tmp_path, "cpu", broken, f"--timeout-sec={limit}")
    said = capsys.readouterr().err
    assert ended.value.code == 2
    assert f"--timeout-sec: must be a number > 0 and <= 604800 (got {limit!r})" in said
    assert not (tmp_path / "out").exists()
