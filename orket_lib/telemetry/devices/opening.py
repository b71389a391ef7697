"""The GPUs of a machine, held open while they are read.

On a machine without GPUs the set is empty and says why. In a Slurm job it has those of the job.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from orket_lib.artifacts.measurements.sidecar_fields import Backend
from orket_lib.telemetry.devices.amd_smi import find_amd_smi
from orket_lib.telemetry.devices.amd_sysfs import ROOT, find_amd_cards
from orket_lib.telemetry.devices.granted import is_named, only_granted
from orket_lib.telemetry.devices.limited import LimitedDevice, limited
from orket_lib.telemetry.devices.nvidia import find_nvidia, open_nvml
from orket_lib.telemetry.devices.reading import Device
from orket_lib.vocabulary.nulls import Null


@dataclass(frozen=True)
class Devices:
    """The GPUs of a backend.

    Attributes:
        devices: In bus order.
        absent: Why there are none, by vendor.
    """

    devices: tuple[Device, ...] = ()
    absent: Mapping[str, str] = field(default_factory=dict)

    def chosen(self, names: Collection[str] | None) -> Devices:
        """Return those with one of these UUIDs or indexes; None means all."""
        if names is None:
            return self
        kept = tuple(device for device in self.devices if is_named(device.info, names))
        return Devices(kept, self.absent)


@contextmanager
def open_devices(backend: Backend, root: Path = ROOT) -> Iterator[Devices]:
    """Open the GPUs of a backend; `any` means NVIDIA's if there are any, else AMD's.

    Raises:
        SamplerError: The driver hangs. A reading of a device raises it, too.
    """
    with limited(open_unlimited(backend, root)) as found:
        yield Devices(tuple(map(LimitedDevice, found.devices)), found.absent)


@contextmanager
def open_unlimited(backend: Backend, root: Path = ROOT) -> Iterator[Devices]:
    """Open them without a time limit, for the sampler's process, which others watch and end."""
    absent: dict[str, str] = {}
    if backend in ("nvidia", "any"):
        with open_nvml() as nvml:
            found = nvml if isinstance(nvml, Null) else find_nvidia(nvml)
            if not isinstance(found, Null):
                yield Devices(only_granted(found))
                return
            absent["nvidia"] = found.reason
    if backend in ("amd", "any"):
        with _open_amd(root) as amd:
            if not isinstance(amd, Null):
                yield Devices(only_granted(amd), absent)
                return
            absent["amd"] = amd.reason
    yield Devices(absent=absent)


@contextmanager
def _open_amd(root: Path) -> Iterator[tuple[Device, ...] | Null]:
    """Open AMD's GPUs through its library, or through sysfs if the library finds none."""
    smi = _amd_library() if root == ROOT else None
    if smi is not None:
        try:
            found = find_amd_smi(smi)
            yield found if not isinstance(found, Null) else find_amd_cards(root)
        finally:
            with suppress(smi.AmdSmiException):
                smi.amdsmi_shut_down()
        return
    yield find_amd_cards(root)


def _amd_library() -> Any:
    """Return AMD's library, opened; None if it is not installed or finds no driver."""
    try:
        import amdsmi
    except (ImportError, OSError, KeyError):  # KeyError: it reads environment variables
        return None
    try:
        amdsmi.amdsmi_init()
    except amdsmi.AmdSmiException:
        return None
    return amdsmi
