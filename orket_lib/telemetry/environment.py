"""Versions and settings of a machine: kernel, drivers, packages, CPU clock governor.

They are not part of the machine's fingerprint, but can change the numbers, so they are recorded
with every measurement. What a system doesn't report is left out.
"""

from __future__ import annotations

import platform
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from orket_lib.telemetry.devices.nvidia import open_nvml
from orket_lib.vocabulary.nulls import Null

_PACKAGES = ("orket-quant-sweep", "xllamacpp", "nvidia-ml-py", "psutil")
# Settings that Linux reports; of the CPUs, the first represents all.
_SETTINGS = {
    "cpu_governor": "devices/system/cpu/cpu0/cpufreq/scaling_governor",
    "cpu_driver": "devices/system/cpu/cpu0/cpufreq/scaling_driver",
    "cpu_energy_preference": "devices/system/cpu/cpu0/cpufreq/energy_performance_preference",
    "cpu_boost": "devices/system/cpu/cpufreq/boost",
    "intel_no_turbo": "devices/system/cpu/intel_pstate/no_turbo",
    "smt": "devices/system/cpu/smt/control",
    "transparent_hugepages": "kernel/mm/transparent_hugepage/enabled",
    "amdgpu_driver": "module/amdgpu/version",
}


def environment(sysfs: Path = Path("/sys")) -> dict[str, str]:
    """Return the versions and settings of this machine, by name.

    Args:
        sysfs: Mount point of sysfs.
    """
    return {
        "kernel": platform.release(),
        "python": platform.python_version(),
        **{name: found for name in _PACKAGES if (found := package_version(name))},
        **{name: found for name, path in _SETTINGS.items() if (found := _setting(sysfs / path))},
        **_nvidia(),
    }


def package_version(package: str) -> str | None:
    """Return the version of an installed package."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _setting(path: Path) -> str | None:
    """Return a setting; of `always [madvise] never`, the selected one."""
    try:
        text = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return None
    _, bracket, rest = text.partition("[")
    return rest.partition("]")[0] if bracket else text or None


def _nvidia() -> dict[str, str]:
    """Return the driver and CUDA versions; empty on a machine without an NVIDIA driver."""
    found = {}
    with open_nvml() as nvml:
        if not isinstance(nvml, Null):
            with suppress(nvml.NVMLError):  # keeps what was found before the error
                found["nvidia_driver"] = str(nvml.nvmlSystemGetDriverVersion())
                cuda = nvml.nvmlSystemGetCudaDriverVersion()
                found["cuda"] = f"{cuda // 1000}.{cuda % 1000 // 10}"
    return found
