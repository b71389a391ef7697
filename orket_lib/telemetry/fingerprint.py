"""Which machine this is: the fingerprint that makes rows comparable.

`os|cpu model|physical cores|ram GiB|gpu name(s) x count`, lower case, spaces as `_`. Kernel, driver
and runtime versions change without the machine changing, so they stand in `environment`. For the
same reason AMD's cards are named by the kernel alone: by AMD's own library, where it is installed,
they would have other names. Where there are cards of both vendors only NVIDIA's count, which are
the ones that are watched.
"""

from __future__ import annotations

import platform
from collections import Counter
from functools import cache
from pathlib import Path

import psutil

from orket_lib.telemetry.devices.amd_sysfs import ROOT, find_amd_cards
from orket_lib.vocabulary.nulls import Null

_GIB = 1024**3
_REMOTE = "remote|"


@cache
def hardware_fingerprint(sysfs: Path = ROOT) -> str:
    """Return this machine's fingerprint.

    Args:
        sysfs: Where the kernel shows its devices.
    """
    cores = psutil.cpu_count(logical=False) or psutil.cpu_count() or 0
    ram_gib = round(psutil.virtual_memory().total / _GIB)
    parts = (platform.system(), _cpu_model(), str(cores), str(ram_gib), _gpus(sysfs))
    return "|".join("_".join(part.split()) for part in parts).lower()


def remote_machine(host: str | None) -> str | None:
    """Return the fingerprint of a server's machine that we only know by its name; None for ours."""
    return None if host is None else f"{_REMOTE}{host.lower()}"


def is_remote(machine: str) -> bool:
    """Tell whether a fingerprint is of a machine that we only know by its name."""
    return machine.startswith(_REMOTE)


def boot_id() -> str:
    """Return an identity of the current boot: the kernel's own, else the boot time."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return f"boot-time-{int(psutil.boot_time())}"


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, "") or platform.machine()


def _gpus(sysfs: Path) -> str:
    names = _nvidia_names() or _amd_names(sysfs)
    counted = Counter(names)
    return "+".join(f"{name} x {count}" for name, count in sorted(counted.items())) or "none"


def _nvidia_names() -> list[str]:
    """Return the names of the NVIDIA cards; no library or no driver is an ordinary machine.

    A card that is divided (MIG) is one card.
    """
    import pynvml

    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return []
    try:
        handles = [
            pynvml.nvmlDeviceGetHandleByIndex(index) for index in range(pynvml.nvmlDeviceGetCount())
        ]
        return [str(pynvml.nvmlDeviceGetName(handle)) for handle in handles]
    except pynvml.NVMLError:
        return []
    finally:
        pynvml.nvmlShutdown()


def _amd_names(sysfs: Path) -> list[str]:
    cards = find_amd_cards(sysfs)
    return [] if isinstance(cards, Null) else [card.info.name for card in cards]
