"""Which machine this is: the fingerprint that makes rows comparable.

`os|cpu model|physical cores|ram GiB|gpu name(s) x count`, lower case, spaces as `_`. Kernel, driver
and runtime versions change without the machine changing, so they are in `environment`. For the same
reason, AMD cards have the names that the kernel gives them: AMD's own library, if it is installed,
gives others. On a machine with cards of both vendors only NVIDIA's count, because only those are
sampled.
"""

from __future__ import annotations

import platform
from collections import Counter
from functools import cache
from pathlib import Path

import psutil

from orket_lib.telemetry.devices.amd_sysfs import ROOT, find_amd_cards
from orket_lib.telemetry.devices.nvidia import open_nvml
from orket_lib.vocabulary.nulls import Null
from orket_lib.vocabulary.units import GIB

_REMOTE = "remote|"


@cache
def hardware_fingerprint(sysfs: Path = ROOT) -> str:
    """Return this machine's fingerprint.

    Args:
        sysfs: Mount point of sysfs.
    """
    cores = psutil.cpu_count(logical=False) or psutil.cpu_count() or 0
    ram_gib = round(psutil.virtual_memory().total / GIB)
    parts = (platform.system(), _cpu_model(), str(cores), str(ram_gib), _gpus(sysfs))
    return "|".join("_".join(part.split()) for part in parts).lower()


def remote_machine(host: str | None) -> str | None:
    """Return the fingerprint of a remote server's machine: its host name; None for our machine."""
    return None if host is None else f"{_REMOTE}{host.lower()}"


def is_remote(machine: str) -> bool:
    """Return whether a fingerprint is that of a remote machine."""
    return machine.startswith(_REMOTE)


def boot_id() -> str:
    """Return an id of the current boot: the kernel's own, else the boot time."""
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
    """Return the names of the NVIDIA cards; empty without a driver. A card with MIG is one card."""
    with open_nvml() as nvml:
        if isinstance(nvml, Null):
            return []
        try:
            handles = map(nvml.nvmlDeviceGetHandleByIndex, range(nvml.nvmlDeviceGetCount()))
            return [str(nvml.nvmlDeviceGetName(handle)) for handle in handles]
        except nvml.NVMLError:
            return []


def _amd_names(sysfs: Path) -> list[str]:
    cards = find_amd_cards(sysfs)
    return [] if isinstance(cards, Null) else [card.info.name for card in cards]
