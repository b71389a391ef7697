"""Which machine this is: the fingerprint that makes rows comparable.

`os|cpu model|physical cores|ram GiB|gpu name(s) x count`, lower case, spaces as `_`. Where a
container or job may use only a part of the cores, they read `0.5 of 8`: its measurements are not
those of the whole machine (T33). Of the GPUs, those count that a Slurm job was granted. A limit of
memory is not in here: it decides what can be loaded, and not how fast that runs.

Kernel, driver and runtime versions change without the machine changing, so they are in
`environment`. For the same reason, AMD cards have the names that the kernel gives them: AMD's own
library, if it is installed, gives others. On a machine with cards of both vendors only NVIDIA's
count, because only those are sampled.
"""

from __future__ import annotations

import platform
from collections import Counter
from functools import cache
from pathlib import Path

import psutil

from orket_lib.telemetry.allowance.cpus import cpu_allowance
from orket_lib.telemetry.cpu_model import apple_gpu, cpu_model, older_cpu_model
from orket_lib.telemetry.devices.amd_sysfs import ROOT, find_amd_cards
from orket_lib.telemetry.devices.granted import granted, only_granted
from orket_lib.telemetry.devices.nvidia import find_nvidia, open_nvml
from orket_lib.vocabulary.nulls import Null
from orket_lib.vocabulary.units import GIB

_REMOTE = "remote|"


@cache
def hardware_fingerprint(sysfs: Path = ROOT, root: Path = Path("/")) -> str:
    """Return this machine's fingerprint.

    Args:
        sysfs: Mount point of sysfs.
        root: Root of the file system, for everything else.
    """
    cpus = cpu_allowance(root)
    cores = str(cpus.machine_cores)
    if cpus.limited:
        cores = f"{round(cpus.usable_cores, 2):g} of {cores}"
    return _joined(cpu_model(root), cores, _gpus(sysfs))


@cache
def older_fingerprints(sysfs: Path = ROOT, root: Path = Path("/")) -> tuple[str, ...]:
    """Return the names that this machine had in older versions; other machines have them, too.

    A name without a limit of CPUs is none of them: what is measured under the limit is not what the
    whole machine does.
    """
    cpus = cpu_allowance(root)
    if cpus.limited:
        return ()
    gpus = _nvidia_names() or _amd_names(sysfs)
    older = _joined(older_cpu_model(root), str(cpus.machine_cores), _counted(gpus))
    return () if older == hardware_fingerprint(sysfs, root) else (older,)


def without_limit() -> str | None:
    """Return the fingerprint without our limit of CPUs; None if we have none."""
    cpus = cpu_allowance()
    if not cpus.limited:
        return None
    return _joined(cpu_model(), str(cpus.machine_cores), _gpus(ROOT))


def machine_of(remote: str | None, asked: str) -> str:
    """Return the name of the machine that serves a model.

    Args:
        remote: Host of a remote server; None for our machine.
        asked: The name in the spec; kept if it is an older one of this machine, so that
            measurements under that name go on (`machine` in the config).
    """
    if remote is None and asked in older_fingerprints():
        return asked
    return remote_machine(remote) or hardware_fingerprint()


def _joined(cpu: str, cores: str, gpus: str) -> str:
    ram_gib = round(psutil.virtual_memory().total / GIB)
    parts = (platform.system(), cpu, cores, str(ram_gib), gpus)
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


def _gpus(sysfs: Path) -> str:
    names = _nvidia_names() or _amd_names(sysfs) or [name for name in (apple_gpu(),) if name]
    return _counted(names)


def _counted(names: list[str]) -> str:
    counted = Counter(names)
    return "+".join(f"{name} x {count}" for name, count in sorted(counted.items())) or "none"


def _nvidia_names() -> list[str]:
    """Return the names of the NVIDIA cards; empty without a driver. A card with MIG is one card."""
    with open_nvml() as nvml:
        if isinstance(nvml, Null):
            return []
        try:
            handles = map(nvml.nvmlDeviceGetHandleByIndex, range(nvml.nvmlDeviceGetCount()))
            names = [str(nvml.nvmlDeviceGetName(handle)) for handle in handles]
        except nvml.NVMLError:
            return []
        if granted("nvidia") is None:
            return names
        found = find_nvidia(nvml)
        ours = () if isinstance(found, Null) else only_granted(found)
        return [names[index] for index in sorted({device.info.index for device in ours})]


def _amd_names(sysfs: Path) -> list[str]:
    cards = find_amd_cards(sysfs)
    return [] if isinstance(cards, Null) else [card.info.name for card in only_granted(cards)]
