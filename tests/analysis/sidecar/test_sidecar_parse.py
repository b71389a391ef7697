from __future__ import annotations

import json
from typing import Any

import pytest
from builders import NOW, PROVENANCE, session
from sidecar_builders import FULL, captured, measurement, own, sensors, served, sidecar_spec

from orket_lib.analysis.sidecar.parse import (
    ParsedSidecar,
    parse_sidecar,
    row_sidecar,
    sidecar_fields,
)
from orket_lib.artifacts.measurements.sidecar import SidecarReport
from orket_lib.artifacts.measurements.sidecar_fields import ALIASES, FIELDS, OPTIONAL, REQUIRED
from orket_lib.artifacts.views.run_report import LoadTimes
from orket_lib.vocabulary.nulls import Null
from orket_lib.vocabulary.statuses import Lane, SidecarStatus, VramProfile


def without(*fields: str) -> dict[str, Any]:
    return {name: value for name, value in FULL.items() if name not in fields}


def view(**fields: Any) -> SidecarReport:
    return SidecarReport.of(
        generated_at=NOW,
        provenance=PROVENANCE,
        execution_lane=Lane.CI,
        vram_profile=VramProfile.SAFE,
        **fields,
    )


def test_a_command_that_prints_everything_is_ok() -> None:
    parsed = parse_sidecar(measurement())
    assert (parsed.status, parsed.errors) == (SidecarStatus.OK, ())
    assert {name: getattr(parsed.numbers, name) for name in FULL} == FULL
    assert parsed.source == dict.fromkeys(FULL, "template")
    assert parsed.numbers.null_reasons == {"request_floor_ms": "NOT_PRINTED"}


def test_everything_under_its_aliases_is_ok() -> None:
    printed = {ALIASES[name][-1]: value for name, value in FULL.items()}
    parsed = parse_sidecar(measurement(printed))
    assert parsed.status is SidecarStatus.OK
    assert {name: getattr(parsed.numbers, name) for name in FULL} == FULL


@pytest.mark.parametrize("field", REQUIRED)
def test_a_required_field_that_is_missing_is_named(field: str) -> None:
    parsed = parse_sidecar(measurement(without(field)))
    assert parsed.status is SidecarStatus.REQUIRED_FIELD_MISSING
    assert parsed.errors == (f"missing:{field}",)
    assert field not in parsed.source
    assert field in parsed.numbers.null_reasons


@pytest.mark.parametrize("field", OPTIONAL)
def test_an_optional_field_that_is_missing_is_named(field: str) -> None:
    parsed = parse_sidecar(measurement(without(field)))
    assert (parsed.status, parsed.errors) == (
        SidecarStatus.OPTIONAL_FIELD_MISSING,
        (f"missing:{field}",),
    )


@pytest.mark.parametrize("value", ["5", True, None, float("nan"), float("inf"), -1])
def test_what_is_no_number_is_missing(value: object) -> None:
    parsed = parse_sidecar(measurement(FULL | {"ttft_ms": value}))
    assert (parsed.status, parsed.errors) == (
        SidecarStatus.REQUIRED_FIELD_MISSING,
        ("missing:ttft_ms",),
    )


def test_errors_are_sorted_whatever_is_missing() -> None:
    errors = parse_sidecar(measurement({"other": 1})).errors
    assert list(errors) == sorted(f"missing:{name}" for name in FULL)


def test_required_fields_that_a_command_does_not_print_come_from_our_sensors() -> None:
    gpu = sensors(
        source="nvml",
        vram_total_mb=8000.0,
        vram_used_mb=4000.0,
        thermal_start_c=41.0,
        thermal_end_c=55.0,
        fan_speed_percent=30.0,
    )
    silent = ("vram_total_mb", "vram_used_mb", "thermal_start_c", "thermal_end_c")
    parsed = parse_sidecar(measurement(without(*silent, "fan_speed_percent"), sensors=gpu))
    # The fan is optional: what is missing there, the command has not said.
    assert (parsed.status, parsed.errors) == (
        SidecarStatus.OPTIONAL_FIELD_MISSING,
        ("missing:fan_speed_percent",),
    )
    assert [getattr(parsed.numbers, name) for name in silent] == [8000.0, 4000.0, 41.0, 55.0]
    assert [parsed.source[name] for name in silent] == ["sampler"] * 4
    assert parsed.source["ttft_ms"] == "template"


def test_a_command_s_own_reading_wins_over_our_sensors() -> None:
    parsed = parse_sidecar(measurement(sensors=sensors(thermal_start_c=99.0)))
    assert parsed.numbers.thermal_start_c == FULL["thermal_start_c"]


def test_only_a_cpu_profile_s_command_need_not_know_of_a_gpu() -> None:
    printed = without("vram_total_mb", "vram_used_mb")
    strict = parse_sidecar(measurement(printed))
    assert strict.errors == ("missing:vram_total_mb", "missing:vram_used_mb")
    assert strict.numbers.null_reasons["vram_used_mb"] == "NO_GPU"
    cpu = sidecar_spec("tool", backend="cpu")
    assert parse_sidecar(measurement(printed, spec=cpu)).status is SidecarStatus.OK


def test_llama_bench_leaves_the_fields_that_it_does_not_know() -> None:
    rows = [
        {"n_prompt": 512, "n_gen": 0, "avg_ts": 900.0},
        {"n_prompt": 0, "n_gen": 64, "avg_ts": 50.0},
    ]
    parsed = parse_sidecar(measurement(rows))
    assert (parsed.numbers.prefill_tps, parsed.numbers.decode_tps) == (900.0, 50.0)
    assert "missing:ttft_ms" in parsed.errors and "missing:decode_tps" not in parsed.errors


BENCH_LACKS = ("ttft_ms", "kernel_launch_ms", "model_load_ms")
BENCH_LACKS_TOO = ("pcie_throughput_gbps", "cuda_graph_warmup_ms")
BENCH = [
    {"n_prompt": 512, "n_gen": 0, "avg_ts": 900.0},
    {"n_prompt": 0, "n_gen": 128, "avg_ts": 50.0},
]


def bench(**readings: float) -> ParsedSidecar:
    """Return what the ready template of `llama-bench` gives together with these sensors."""
    spec = sidecar_spec("llama-bench", not_measured=(*BENCH_LACKS, *BENCH_LACKS_TOO))
    return parse_sidecar(measurement(BENCH, spec=spec, sensors=sensors(**readings)))


def test_the_ready_llama_bench_takes_what_it_lacks_from_our_sampler() -> None:
    printed = {
        "vram_total_mb": 24000.0,
        "vram_used_mb": 9000.0,
        "thermal_start_c": 40.0,
        "thermal_end_c": 60.0,
        "gpu_clock_mhz": 2000.0,
        "power_draw_watts": 250.0,
        "fan_speed_percent": 50.0,
    }
    parsed = bench(**printed)
    assert (parsed.status, parsed.errors) == (SidecarStatus.OK, ())
    assert {parsed.source[field] for field in printed} == {"sampler"}
    assert parsed.source["decode_tps"] == parsed.source["prefill_tps"] == "template"
    reasons = parsed.numbers.null_reasons
    assert {reasons[field] for field in (*BENCH_LACKS, *BENCH_LACKS_TOO)} == {"NOT_MEASURED"}


def test_the_ready_llama_bench_works_without_a_gpu_and_not_without_rates() -> None:
    assert bench().status is SidecarStatus.OK
    assert bench().numbers.null_reasons["vram_used_mb"] == "NO_GPU"
    spec = sidecar_spec("llama-bench", not_measured=BENCH_LACKS)
    failed = parse_sidecar(measurement(BENCH[:1], spec=spec))
    assert failed.status is SidecarStatus.REQUIRED_FIELD_MISSING
    assert "missing:decode_tps" in failed.errors


@pytest.mark.parametrize("printed", ["", "no result\n", "[1, 2]", '"text"', "\ufffd\ufffd"])
def test_no_object_is_no_result(printed: str) -> None:
    parsed = parse_sidecar(measurement(printed))
    assert (parsed.status, parsed.errors) == (
        SidecarStatus.PARSE_ERROR,
        ("invalid_format:sidecar_payload",),
    )
    assert parsed.numbers.null_reasons["ttft_ms"] == "INVALID_FORMAT_SIDECAR_PAYLOAD"


def test_an_empty_object_is_a_result_that_lacks_every_field() -> None:
    parsed = parse_sidecar(measurement("{}\n"))
    assert parsed.status is SidecarStatus.REQUIRED_FIELD_MISSING
    assert parsed.errors == tuple(sorted(f"missing:{name}" for name in FULL))


FAILURES = [
    ({"error": "timeout", "exit_status": None}, "timeout", "TIMEOUT"),
    ({"error": "output_limit", "exit_status": None}, "output_limit", "OUTPUT_LIMIT"),
    ({"exit_status": 3}, "exit_status:3", "EXIT_STATUS_3"),
    ({"exit_status": -9}, "exit_status:-9", "EXIT_STATUS_-9"),
]


@pytest.mark.parametrize(("changes", "error", "reason"), FAILURES)
def test_numbers_of_a_command_that_printed_them_and_then_failed_are_kept(
    changes: dict[str, Any], error: str, reason: str
) -> None:
    parsed = parse_sidecar(measurement(without("ttft_ms", "thermal_end_c"), **changes))
    assert (parsed.status, parsed.errors) == (SidecarStatus.PARSE_ERROR, (error,))
    assert parsed.numbers.decode_tps == FULL["decode_tps"]
    assert parsed.source["decode_tps"] == "template"
    assert parsed.numbers.null_reasons["ttft_ms"] == reason


@pytest.mark.parametrize(
    ("changes", "error", "reason"),
    [
        *FAILURES,
        (
            {"error": "command_not_found", "exit_status": None},
            "command_not_found",
            "COMMAND_NOT_FOUND",
        ),
    ],
)
def test_a_command_that_failed_before_it_printed_anything_has_no_numbers(
    changes: dict[str, Any], error: str, reason: str
) -> None:
    parsed = parse_sidecar(measurement("", **changes, sensors=sensors(thermal_end_c=50.0)))
    assert (parsed.status, parsed.errors) == (SidecarStatus.PARSE_ERROR, (error,))
    assert parsed.numbers.ttft_ms is None
    assert parsed.numbers.null_reasons["ttft_ms"] == reason
    assert parsed.numbers.thermal_end_c == 50.0  # our own sensor did not fail


PYTHON = "FileNotFoundError: [Errno 2] No such file or directory: 'nvidia-smi'\n"


@pytest.mark.parametrize(
    ("said", "exit_status", "error"),
    [
        ("bash: line 1: nvidia-smi: command not found\n", 127, "nvidia_smi_unavailable"),
        ("sh: 1: rocm-smi: not found\n", 127, "rocm_smi_unavailable"),
        ("bash: amd-smi: Kommando nicht gefunden.\n", 127, "amd_smi_unavailable"),
        (f"Traceback (most recent call last):\n{PYTHON}", 1, "nvidia_smi_unavailable"),
        ("env: '/opt/rocm/bin/rocm-smi': No such file or directory", 1, "rocm_smi_unavailable"),
        ("'nvidia-smi.exe' is not recognized as an internal command", 1, "nvidia_smi_unavailable"),
        ("Error: spawn amd-smi ENOENT", 1, "amd_smi_unavailable"),
        ("probe: could not find nvidia-smi.", 2, "nvidia_smi_unavailable"),
        (
            "    subprocess.run(['nvidia-smi'])\nFileNotFoundError: [WinError 2] Das System kann",
            1,
            "nvidia_smi_unavailable",
        ),
        ("nvidia-smi: command not found\n", 0, "nvidia_smi_unavailable"),  # of a pipe
    ],
)
def test_a_command_that_fails_because_a_tool_for_gpus_is_not_here_does_not_apply(
    said: str, exit_status: int, error: str
) -> None:
    for stream in ("stderr", "stdout"):
        failed = measurement("", exit_status=exit_status, **{stream: captured(said)})
        parsed = parse_sidecar(failed)
        assert (parsed.status, parsed.errors) == (SidecarStatus.NOT_APPLICABLE, (error,))
        assert set(parsed.numbers.null_reasons.values()) == {"NOT_APPLICABLE"}


@pytest.mark.parametrize("program", ["nvidia-smi", "/usr/bin/rocm-smi", r"C:\\smi\\amd-smi.exe"])
def test_a_tool_for_gpus_that_is_the_command_itself_and_is_not_here_does_not_apply(
    program: str,
) -> None:
    missing = measurement("", command=(program, "-q"), error="command_not_found", exit_status=None)
    assert parse_sidecar(missing).status is SidecarStatus.NOT_APPLICABLE


@pytest.mark.parametrize(
    "said",
    [
        "can't open file '/probes/nvidia-smi-probe.py': [Errno 2] No such file or directory",
        "/probes/nvidia-smi/probe.py: No such file or directory",
        "nvidia-smi: 2 GPUs\nmodel.gguf: No such file or directory",
        "probe: not found",
    ],
)
def test_another_failure_than_a_missing_tool_is_an_error(said: str) -> None:
    parsed = parse_sidecar(measurement("", exit_status=2, stderr=captured(said)))
    assert (parsed.status, parsed.errors) == (SidecarStatus.PARSE_ERROR, ("exit_status:2",))


def test_numbers_from_before_a_missing_tool_are_kept_with_both_errors() -> None:
    failed = measurement({"decode_tps": 5.0}, exit_status=1, stderr=captured(PYTHON))
    parsed = parse_sidecar(failed)
    assert parsed.status is SidecarStatus.NOT_APPLICABLE
    assert parsed.errors == ("exit_status:1", "nvidia_smi_unavailable")
    assert parsed.numbers.decode_tps == 5.0


def test_a_command_that_worked_may_say_what_it_lacks() -> None:
    warning = captured("nvidia-smi: command not found; going on without it\n")
    assert parse_sidecar(measurement(stderr=warning)).status is SidecarStatus.OK


def test_the_file_wins_over_standard_output() -> None:
    both = measurement({"ttft_ms": 1, "decode_tps": 2}, out_file=captured(json.dumps(FULL)))
    assert parse_sidecar(both).numbers.ttft_ms == FULL["ttft_ms"]
    damaged = measurement(out_file=captured("torn {"))
    assert parse_sidecar(damaged).status is SidecarStatus.OK


def test_a_result_after_a_flood_is_found_in_the_end_that_was_kept() -> None:
    flooded = measurement("noise\n", stdout=captured("noise\n" * 9, "oise\n" + json.dumps(FULL)))
    assert parse_sidecar(flooded).status is SidecarStatus.OK


def test_hardware_that_is_not_here() -> None:
    parsed = parse_sidecar(
        measurement("", applicable=False, error="nvidia_smi_unavailable", sensors=None)
    )
    assert (parsed.status, parsed.errors) == (
        SidecarStatus.NOT_APPLICABLE,
        ("nvidia_smi_unavailable",),
    )
    assert parsed.numbers.null_reasons == dict.fromkeys(FIELDS, "NOT_APPLICABLE")


def test_a_command_may_say_itself_that_it_does_not_apply() -> None:
    printed = {
        "sidecar_parse_status": "NOT_APPLICABLE",
        "sidecar_parse_errors": ["rocm_smi_unavailable", 7, "a_first"],
    }
    parsed = parse_sidecar(measurement(printed))
    assert (parsed.status, parsed.errors) == (
        SidecarStatus.NOT_APPLICABLE,
        ("a_first", "rocm_smi_unavailable"),
    )


def test_a_command_can_not_call_itself_ok() -> None:
    printed = {"sidecar_parse_status": "OK", "sidecar_parse_errors": []}
    assert parse_sidecar(measurement(printed)).status is SidecarStatus.REQUIRED_FIELD_MISSING


def test_our_own_measurement_knows_what_can_be_known_without_a_gpu() -> None:
    parsed = parse_sidecar(own())
    numbers = parsed.numbers
    assert (parsed.status, parsed.errors) == (SidecarStatus.OK, ())
    assert numbers.ttft_ms == 510.0
    assert numbers.prefill_tps == pytest.approx(1024)
    assert numbers.decode_tps == pytest.approx(127)
    assert numbers.model_load_ms == pytest.approx(400)
    assert numbers.request_floor_ms == 3.0  # the median
    assert set(parsed.source.values()) == {"profile"}
    assert numbers.null_reasons["kernel_launch_ms"] == "NOT_MEASURED"
    assert numbers.null_reasons["vram_total_mb"] == "NO_GPU"
    assert numbers.null_reasons["thermal_end_c"] == "NO_TEMPERATURE_SENSOR"


def test_our_own_measurement_names_its_sensors() -> None:
    gpu = sensors(source="nvml", vram_total_mb=8000.0, gpu_clock_mhz=1500.0)
    gpu = gpu.model_copy(
        update={"null_reasons": gpu.null_reasons | {"fan_speed_percent": "NOT_SUPPORTED"}}
    )
    parsed = parse_sidecar(own(sensors=gpu))
    assert (parsed.source["vram_total_mb"], parsed.source["gpu_clock_mhz"]) == ("nvml", "nvml")
    # A sensor that the driver doesn't read is missing; one that can't be there is not.
    assert (parsed.status, parsed.errors) == (
        SidecarStatus.OPTIONAL_FIELD_MISSING,
        ("missing:fan_speed_percent",),
    )


def test_the_load_falls_back_on_the_whole_start() -> None:
    times = LoadTimes.of(load_seconds=2.0, model_seconds=Null("NOT_TOLD"))
    parsed = parse_sidecar(own(served(session=session(load=times), floor_ms=())))
    assert parsed.numbers.model_load_ms == 2000.0
    assert parsed.numbers.null_reasons["request_floor_ms"] == "NO_CONTENT"


@pytest.mark.parametrize("failure", ["model_not_loaded", "server_crashed", "serving_failed"])
def test_a_model_that_can_not_be_served_is_no_result(failure: str) -> None:
    parsed = parse_sidecar(own(served(failure=failure, session=None, probes=(), floor_ms=())))
    assert (parsed.status, parsed.errors) == (SidecarStatus.PARSE_ERROR, (failure,))
    assert parsed.numbers.null_reasons["decode_tps"] == failure.upper()


def test_our_own_measurement_that_came_to_no_end() -> None:
    ended = own(error="timeout", exit_status=None).model_copy(update={"serving": None})
    assert parse_sidecar(ended).errors == ("timeout",)
    silent = own().model_copy(update={"serving": None})
    assert parse_sidecar(silent).errors == ("no_result",)


def test_our_own_probe_as_a_command_keeps_its_reasons() -> None:
    printed = view(**sidecar_fields(own())).model_dump(mode="json")
    parsed = parse_sidecar(measurement(printed))
    assert (parsed.status, parsed.errors) == (SidecarStatus.OK, ())
    assert parsed.numbers.null_reasons["kernel_launch_ms"] == "NOT_MEASURED"
    failed = view(**sidecar_fields(own(error="timeout", exit_status=None)))
    parsed = parse_sidecar(measurement(failed.model_dump(mode="json")))
    assert (parsed.status, parsed.errors) == (SidecarStatus.PARSE_ERROR, ("timeout",))


def test_a_measurement_is_parsed_to_the_same_bytes_each_time() -> None:
    once, again = (view(**sidecar_fields(own())).model_dump_json() for _ in range(2))
    assert once == again


def test_a_row_repeats_the_numbers_with_their_reasons() -> None:
    copy = row_sidecar(view(**sidecar_fields(measurement(without("decode_tps")))), "a/view.json")
    assert (copy.ttft_ms, copy.decode_tps) == (FULL["ttft_ms"], None)
    assert copy.null_reasons["decode_tps"] == "NOT_PRINTED"
    assert copy.measured_at == NOW
    temperatures = (copy.thermal_start_c, copy.thermal_end_c)
    assert temperatures == (FULL["thermal_start_c"], FULL["thermal_end_c"])
    assert (copy.errors, copy.view_path) == (("missing:decode_tps",), "a/view.json")
