"""In a Slurm job, the GPUs are those that it was granted: the others are other jobs'."""

from __future__ import annotations

import pytest
from nvml_replay import load_trace, nvml_of

from orket_lib.artifacts.measurements.serving import ServerLocation
from orket_lib.measure.session.device_selection import locked_devices
from orket_lib.telemetry.devices.granted import granted
from orket_lib.telemetry.devices.opening import open_devices
from orket_lib.telemetry.fingerprint import hardware_fingerprint
from orket_lib.vocabulary.errors import Refused


@pytest.fixture(autouse=True)
def nothing_remembered() -> None:
    hardware_fingerprint.cache_clear()


@pytest.fixture
def job(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Be a Slurm job."""
    monkeypatch.setenv("SLURM_JOB_ID", "7")
    return monkeypatch


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        pytest.param({"CUDA_VISIBLE_DEVICES": "1"}, None, id="no job"),
        pytest.param({"SLURM_JOB_ID": "7"}, None, id="a job without GPUs"),
        pytest.param(
            {"SLURM_JOB_ID": "7", "CUDA_VISIBLE_DEVICES": "0, GPU-22"}, ("0", "GPU-22"), id="two"
        ),
        pytest.param({"SLURM_JOB_ID": "7", "CUDA_VISIBLE_DEVICES": ""}, (), id="none"),
        pytest.param({"SLURM_JOB_ID": "7", "ROCR_VISIBLE_DEVICES": "0"}, None, id="AMD's"),
    ],
)
def test_what_slurm_granted_is_read_from_the_environment_of_a_job(
    environment: dict[str, str], expected: tuple[str, ...] | None
) -> None:
    assert granted("nvidia", environment) == expected


@pytest.mark.parametrize(("named", "uuid"), [("1", "GPU-22222222"), ("GPU-1111", "GPU-11111111")])
def test_a_job_sees_locks_and_is_measured_on_its_own_gpus_only(
    job: pytest.MonkeyPatch, named: str, uuid: str
) -> None:
    job.setenv("CUDA_VISIBLE_DEVICES", named)
    with nvml_of(load_trace("two_cards")):
        with open_devices("any") as found:
            (seen,) = (device.info.uuid for device in found.devices)
        assert seen.startswith(uuid)
        assert locked_devices("llama_cpp", None, ServerLocation()) == ("cpu", seen)
        assert hardware_fingerprint().endswith("|nvidia_h100_80gb_hbm3_x_1")


def test_a_job_with_part_of_a_card_has_the_fingerprint_of_that_card(
    job: pytest.MonkeyPatch,
) -> None:
    job.setenv("CUDA_VISIBLE_DEVICES", "MIG-44444444")
    with nvml_of(load_trace("mig")):
        assert hardware_fingerprint().endswith("|nvidia_a100-sxm4-80gb_x_1")


def test_a_job_of_nothing_visible_has_no_gpu(job: pytest.MonkeyPatch) -> None:
    job.setenv("CUDA_VISIBLE_DEVICES", "NoDevFiles")
    with nvml_of(load_trace("two_cards")):
        assert locked_devices("ollama", None, ServerLocation()) == ("cpu",)
        assert hardware_fingerprint().endswith("|none")


def test_a_gpu_of_another_job_is_not_used_even_if_the_config_names_it(
    job: pytest.MonkeyPatch,
) -> None:
    job.setenv("CUDA_VISIBLE_DEVICES", "1")
    with nvml_of(load_trace("two_cards")):
        assert len(locked_devices("llama_cpp", ("1",), ServerLocation())) == 2
        with pytest.raises(Refused, match="names 0, but Slurm granted this job 1; leave gpu_dev"):
            locked_devices("llama_cpp", ("0",), ServerLocation())
