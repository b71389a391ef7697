"""What a machine runs with is read where the system says it, and left out where it doesn't."""

from __future__ import annotations

import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pynvml
import pytest

from orket_lib.telemetry.environment import environment


def written(sysfs: Path, **settings: str) -> Path:
    for path, text in settings.items():
        file = sysfs / path.replace("__", "/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="ascii")
    return sysfs


def test_versions_are_those_of_what_runs(tmp_path: Path) -> None:
    found = environment(tmp_path)
    assert found["kernel"] == platform.release()
    assert found["python"] == platform.python_version()
    assert found["xllamacpp"] == version("xllamacpp")


def test_settings_are_those_in_force(tmp_path: Path) -> None:
    sysfs = written(
        tmp_path,
        devices__system__cpu__cpu0__cpufreq__scaling_governor="powersave\n",
        kernel__mm__transparent_hugepage__enabled="always [madvise] never\n",
        module__amdgpu__version="6.8.5\n",
    )
    found = environment(sysfs)
    assert found["cpu_governor"] == "powersave"
    assert found["transparent_hugepages"] == "madvise"
    assert found["amdgpu_driver"] == "6.8.5"


def test_what_a_system_does_not_say_is_left_out(tmp_path: Path) -> None:
    assert not {"cpu_governor", "smt", "amdgpu_driver"} & environment(tmp_path).keys()


def test_a_driver_too_old_to_say_its_cuda_still_says_its_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unsupported() -> int:
        raise pynvml.NVMLError(pynvml.NVML_ERROR_NOT_SUPPORTED)

    answers: dict[str, Any] = {
        "nvmlInit": lambda: None,
        "nvmlShutdown": lambda: None,
        "nvmlSystemGetDriverVersion": lambda: "570.86.15",
        "nvmlSystemGetCudaDriverVersion": unsupported,
    }
    for name, answer in answers.items():
        monkeypatch.setattr(pynvml, name, answer)
    found = environment(tmp_path)
    assert found["nvidia_driver"] == "570.86.15"
    assert "cuda" not in found
    monkeypatch.setattr(pynvml, "nvmlSystemGetCudaDriverVersion", lambda: 12080)
    assert environment(tmp_path)["cuda"] == "12.8"


@pytest.mark.gpu
def test_a_real_card_says_its_driver() -> None:
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError as error:
        pytest.skip(f"no NVIDIA GPU: {error}")
    pynvml.nvmlShutdown()
    assert environment()["nvidia_driver"]
