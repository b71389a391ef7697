"""What a machine runs with: kernel, drivers, versions, and how its clocks are governed.

None of it makes another machine, and each can make other numbers: it is written down with every
measurement. What a system does not say is left out.
"""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

_PACKAGES = ("orket-quant-sweep", "xllamacpp", "nvidia-ml-py", "psutil")
# Where Linux says how the clocks are governed; of the CPUs only the first is asked.
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
    """Return what this machine runs with, by name.

    Args:
        sysfs: Where the kernel shows its settings.
    """
    return {
        "kernel": platform.release(),
        "python": platform.python_version(),
        **{name: found for name in _PACKAGES if (found := _version(name))},
        **{name: found for name, path in _SETTINGS.items() if (found := _setting(sysfs / path))},
        **_nvidia(),
    }


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _setting(path: Path) -> str | None:
    """Return a setting; of `always [madvise] never` the one in brackets."""
    try:
        text = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return None
    _, bracket, rest = text.partition("[")
    return rest.partition("]")[0] if bracket else text or None


def _nvidia() -> dict[str, str]:
    """Return driver and CUDA version; nothing where there is no card."""
    import pynvml

    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return {}
    found = {}
    try:
        found["nvidia_driver"] = str(pynvml.nvmlSystemGetDriverVersion())
        cuda = pynvml.nvmlSystemGetCudaDriverVersion()
        found["cuda"] = f"{cuda // 1000}.{cuda % 1000 // 10}"
    except pynvml.NVMLError:
        pass  # what was found so far stays
    finally:
        pynvml.nvmlShutdown()
    return found
