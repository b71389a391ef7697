"""Sidecars as they are run: every status from a real command."""

from __future__ import annotations

import json
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from builders import PROVENANCE
from fake_provider import FakeProvider, failing
from nvml_replay import load_trace, nvml_of
from sidecar_builders import FULL, SERVING, sidecar_spec
from silent import Silent

from orket_lib.analysis.sidecar.parse import ParsedSidecar, parse_sidecar
from orket_lib.artifacts.measurements.serving import ServerLocation
from orket_lib.artifacts.measurements.sidecar import SidecarMeasurement, SidecarSpec
from orket_lib.artifacts.measurements.sidecar_fields import ALIASES
from orket_lib.measure.sidecar import sidecar
from orket_lib.measure.sidecar.probe_process import serve_probes, serving_spec
from orket_lib.measure.sidecar.sidecar import command_of, measure_sidecar
from orket_lib.processes.command_template import resolved_environment
from orket_lib.providers.base import Source
from orket_lib.telemetry.devices.opening import Devices
from orket_lib.vocabulary.errors import LoadError, RequestFailed, ServerCrashed
from orket_lib.vocabulary.statuses import SidecarStatus

MODEL = Source(Path("nano.gguf"))


def python(code: str, *arguments: str, **changes: Any) -> SidecarSpec:
    return sidecar_spec(sys.executable, "-S", "-c", code, *arguments, **changes)


def printing(value: object) -> str:
    return f"print({json.dumps(value)!r})"


def measure(tmp_path: Path, spec: SidecarSpec) -> SidecarMeasurement:
    return measure_sidecar(spec, MODEL, tmp_path / "cell", Silent(), PROVENANCE)


def parsed(tmp_path: Path, spec: SidecarSpec) -> ParsedSidecar:
    return parse_sidecar(measure(tmp_path, spec))


@pytest.mark.parametrize(
    ("code", "status", "errors"),
    [
        pytest.param(printing(FULL), "OK", (), id="everything"),
        pytest.param(
            printing({ALIASES[name][0]: value for name, value in FULL.items()}),
            "OK",
            (),
            id="aliases",
        ),
        pytest.param(
            printing({name: FULL[name] for name in FULL if name != "gpu_clock_mhz"}),
            "OPTIONAL_FIELD_MISSING",
            ("missing:gpu_clock_mhz",),
            id="optional missing",
        ),
        pytest.param(
            printing(FULL | {"ttft_ms": float("nan"), "decode_tps": float("inf")}),
            "REQUIRED_FIELD_MISSING",
            ("missing:decode_tps", "missing:ttft_ms"),
            id="NaN and infinity",
        ),
        pytest.param(
            printing({"sidecar_parse_status": "NOT_APPLICABLE", "sidecar_parse_errors": ["none"]}),
            "NOT_APPLICABLE",
            ("none",),
            id="does not apply",
        ),
        pytest.param(
            "import os; os.write(1, bytes(range(256)))",
            "PARSE_ERROR",
            ("invalid_format:sidecar_payload",),
            id="garbage bytes",
        ),
        pytest.param("pass", "PARSE_ERROR", ("invalid_format:sidecar_payload",), id="silence"),
        pytest.param(
            f"{printing(FULL)}; raise SystemExit(3)",
            "PARSE_ERROR",
            ("exit_status:3",),
            id="good numbers and a bad end",
        ),
        pytest.param(
            "print({})",
            "REQUIRED_FIELD_MISSING",
            tuple(sorted(f"missing:{name}" for name in FULL)),
            id="an empty object",
        ),
        pytest.param(
            "import subprocess; subprocess.run(['no-folder/rocm-smi'])",
            "NOT_APPLICABLE",
            ("rocm_smi_unavailable",),
            id="a tool for GPUs that is not here",
        ),
        pytest.param(
            "import os\nwhile True: os.write(1, bytes(65536))",
            "PARSE_ERROR",
            ("output_limit",),
            id="flood",
        ),
    ],
)
def test_each_status(tmp_path: Path, code: str, status: str, errors: tuple[str, ...]) -> None:
    found = parsed(tmp_path, python(code))
    assert (found.status, found.errors) == (SidecarStatus(status), errors)


def test_a_command_that_hangs_after_good_numbers(tmp_path: Path) -> None:
    code = f"import time\nprint({json.dumps(FULL)!r}, flush=True)\ntime.sleep(1000)"
    found = parsed(tmp_path, python(code, timeout_sec=2.0))
    assert (found.status, found.errors) == (SidecarStatus.PARSE_ERROR, ("timeout",))
    assert found.numbers.ttft_ms == FULL["ttft_ms"]


def test_a_command_that_is_missing(tmp_path: Path) -> None:
    found = parsed(tmp_path, sidecar_spec("no-such-command-anywhere"))
    assert (found.status, found.errors) == (SidecarStatus.PARSE_ERROR, ("command_not_found",))


@pytest.mark.parametrize(
    ("backend", "error"), [("nvidia", "nvidia_smi_unavailable"), ("amd", "amd_smi_unavailable")]
)
def test_hardware_that_is_not_here_runs_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, backend: str, error: str
) -> None:
    monkeypatch.setattr(sidecar, "open_devices", lambda _: nullcontext(Devices()))
    seen = measure(tmp_path, python(printing(FULL), backend=backend))
    assert (seen.command, seen.exit_status, seen.sensors) == ((), None, None)
    found = parse_sidecar(seen)
    assert (found.status, found.errors) == (SidecarStatus.NOT_APPLICABLE, (error,))


def test_a_profile_for_a_gpu_reads_its_sensors_beside_the_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sidecar, "_own_command", lambda *_: (sys.executable, "-S", "-c", "pass"))
    serving = SERVING.model_copy(update={"provider": "ollama", "gpu_devices": ("1",)})
    spec = sidecar_spec(backend="nvidia", serving=serving)
    with nvml_of(load_trace("two_cards"), lambda: 5.0):
        seen = measure(tmp_path, spec)
    assert seen.sensors is not None
    assert (seen.sensors.source, seen.sensors.vram_total_mb) == ("nvml", 81920.0)
    assert seen.sensors.vram_used_mb == 5120.0, "of the second card alone"
    assert seen.sensors.null_reasons["fan_speed_percent"] == "NOT_SUPPORTED"


LISTS = """#!/bin/sh
echo "Available devices:"
{line}
"""


@pytest.mark.skipif(sys.platform == "win32", reason="a shell script replaces the server")
@pytest.mark.parametrize(
    ("provider", "server", "error"),
    [
        pytest.param("embedded", None, "embedded_serves_on_cpu", id="what is embedded"),
        pytest.param("llama_server", None, "llama_server_not_found", id="no server"),
        pytest.param("llama_server", ":", "llama_server_built_for_cpu", id="a server for CPUs"),
    ],
)
def test_a_profile_for_a_gpu_says_nothing_of_a_model_in_main_memory(
    tmp_path: Path, provider: str, server: str | None, error: str
) -> None:
    binary = tmp_path / "llama-server"
    if server:
        binary.write_text(LISTS.format(line=server), encoding="utf-8")
        binary.chmod(0o755)
    spec = sidecar_spec(backend="nvidia", serving=SERVING.model_copy(update={"provider": provider}))
    source = Source(Path("nano.gguf"), ServerLocation(server_binary=str(binary)))
    with nvml_of(load_trace("two_cards")):
        seen = measure_sidecar(spec, source, tmp_path / "cell", Silent(), PROVENANCE)
    found = parse_sidecar(seen)
    assert (found.status, found.errors) == (SidecarStatus.NOT_APPLICABLE, (error,))


def test_a_template_is_told_the_file(tmp_path: Path) -> None:
    spec = sidecar_spec("llama-bench", "-m", "{model_path}")
    assert command_of(spec, MODEL, tmp_path) == ("llama-bench", "-m", "nano.gguf")
    assert command_of(spec, Source(None), tmp_path) == ("llama-bench", "-m", "")


def test_the_file_is_read_and_the_command_recorded_as_run(tmp_path: Path) -> None:
    code = "import sys; open(sys.argv[1], 'w').write(sys.argv[2])"
    seen = measure(tmp_path, python(code, "{out_file}", json.dumps(FULL)))
    assert parse_sidecar(seen).status is SidecarStatus.OK
    assert json.loads(seen.out_file.text) == FULL
    assert seen.command[-1] == json.dumps(FULL)  # its braces are no placeholders
    assert not Path(seen.command[-2]).exists()  # the file was ours and is gone


def test_placeholders_are_filled_in_each_argument_once() -> None:
    spec = sidecar_spec(
        "{model_id}",
        "a {quant_tag}-{runtime_target} b",
        "{execution_mode}",
        "{out_file}",
        "{unknown} {}",
        model_id="the {quant_tag}; rm -rf 'x'",
        runtime_target="edge",
    )
    assert command_of(spec, MODEL, Path("out.json")) == (
        "the {quant_tag}; rm -rf 'x'",
        "a Q4_K_M-edge b",
        "",
        "out.json",
        "{unknown} {}",
    )


def test_a_secret_reaches_the_command_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = 'very "secret" ü'
    monkeypatch.setenv("PROBE_TOKEN", secret)
    code = (
        "import json, os, sys\n"
        "said = os.environ['API_KEY']\n"
        f"ok = said == 'Bearer ' + {secret!r}\n"
        "print(json.dumps({'ttft_ms': 5 if ok else 6, 'said': said})); print(said)\n"
        "print(said, file=sys.stderr); open(sys.argv[1], 'w', encoding='utf-8').write(said)\n"
    )
    # The code above holds the secret for comparing; a template's own words are no concern here.
    spec = python(code, "{out_file}", environment={"API_KEY": "Bearer ${ENV:PROBE_TOKEN}"})
    seen = measure(tmp_path, spec)
    assert parse_sidecar(seen).numbers.ttft_ms == 5.0
    for part in (seen.stdout, seen.stderr, seen.out_file):
        assert "[secret]" in part.text
        assert "very" not in part.text
    assert seen.spec.environment == {"API_KEY": "Bearer ${ENV:PROBE_TOKEN}"}


def test_a_secret_that_is_not_set_is_named_and_nothing_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PROBE_TOKEN", raising=False)
    found = parsed(tmp_path, python("pass", environment={"KEY": "${ENV:PROBE_TOKEN}"}))
    assert (found.status, found.errors) == (
        SidecarStatus.PARSE_ERROR,
        ("environment_missing:PROBE_TOKEN",),
    )


def test_an_environment_without_secrets_is_taken_as_it_is() -> None:
    assert resolved_environment({"A": "1", "B": "$HOME ${X}"}) == (
        {"A": "1", "B": "$HOME ${X}"},
        [],
    )


def test_what_the_spec_depends_on_is_in_its_digest() -> None:
    one = sidecar_spec("tool", "{model_id}")
    assert one.digest() == sidecar_spec("tool", "{model_id}").digest()
    for changes in (
        {"timeout_sec": 31.0},
        {"template": ("tool", "{quant_tag}")},
        {"machine": "another"},
        {"backend": "cpu"},
        {"environment": {"A": "1"}},
        {"runtime_target": "edge"},
    ):
        assert one.model_copy(update=changes).digest() != one.digest()


def test_our_own_measurement_of_a_damaged_file(tmp_path: Path) -> None:
    model = tmp_path / "broken.gguf"
    model.write_bytes(b"GGUF" + bytes(64))
    seen = measure_sidecar(sidecar_spec(), Source(model), tmp_path / "cell", Silent(), PROVENANCE)
    found = parse_sidecar(seen)
    assert (found.status, found.errors) == (SidecarStatus.PARSE_ERROR, ("model_not_loaded",))
    assert seen.exit_status == 0
    assert seen.serving is not None and seen.serving.failure_detail


def test_our_own_measurement_has_the_same_time_limit(tmp_path: Path) -> None:
    found = parsed(tmp_path, sidecar_spec(timeout_sec=0.05))
    assert (found.status, found.errors) == (SidecarStatus.PARSE_ERROR, ("timeout",))


def test_our_own_measurement_probes_and_asks_for_one_token(
    tmp_path: Path, provider: FakeProvider
) -> None:
    seen = serve_probes(sidecar_spec(), MODEL, tmp_path)
    assert seen.failure is None
    assert [probe.index for probe in seen.probes] == [0, 1]
    assert seen.floor_ms == (500.0,) * 9  # the fake's first chunk
    (model,) = provider.models
    assert model.probes[-9:] == ["a"] * 9


@pytest.mark.parametrize(
    ("error", "failure"),
    [
        (ServerCrashed("exit status 9"), "server_crashed"),
        (RequestFailed("HTTP 500"), "serving_failed"),
    ],
)
def test_a_model_that_fails_on_the_way_is_a_result(
    tmp_path: Path, provider: FakeProvider, error: Exception, failure: str
) -> None:
    provider.fault = failing(error, lambda request: request.prompt == "a")
    seen = serve_probes(sidecar_spec(), MODEL, tmp_path)
    assert (seen.failure, seen.failure_detail, len(seen.probes)) == (failure, str(error), 2)


def test_a_model_that_does_not_load_is_a_result(tmp_path: Path, provider: FakeProvider) -> None:
    provider.load_error = LoadError("bad magic")
    seen = serve_probes(sidecar_spec(), MODEL, tmp_path)
    assert (seen.failure, seen.failure_detail) == ("model_not_loaded", "bad magic")


def test_we_serve_as_a_run_does() -> None:
    spec = serving_spec(sidecar_spec())
    assert (spec.n_ctx, spec.controls, spec.provider) == (2048, SERVING.controls, "embedded")
    assert spec.artifact.sha256 == "a" * 64


def test_a_probe_of_ours_as_a_command_does_not_wait_for_its_own_device(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path\n"
        "from orket_lib.artifacts.io import read_model\n"
        "from orket_lib.artifacts.base import Provenance\n"
        "from orket_lib.artifacts.measurements.sidecar import SidecarSpec\n"
        "from unittest.mock import Mock\n"
        "from orket_lib.measure.sidecar.sidecar import measure_sidecar\n"
        "from orket_lib.providers.base import Source\n"
        "spec = read_model(Path(sys.argv[1]), SidecarSpec)\n"
        "none = Provenance(ref='', commit_sha=None, dirty=None)\n"
        "inner = measure_sidecar(spec, Source(Path('x')), Path(sys.argv[2]), Mock(), none)\n"
        "print(inner.stdout.text)\n"
    )
    inner = tmp_path / "inner.json"
    inner.write_text(python(printing(FULL)).model_dump_json(), encoding="utf-8")
    arguments = (sys.executable, "-c", code, str(inner), str(tmp_path / "inner"))
    outer = sidecar_spec(*arguments, environment={"TMPDIR": str(tmp_path), "TEMP": str(tmp_path)})
    assert parsed(tmp_path, outer).status is SidecarStatus.OK
