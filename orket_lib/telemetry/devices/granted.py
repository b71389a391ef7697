"""The GPUs that Slurm granted to this job; the others of its node belong to other jobs.

Slurm hides the others only where its administrator had it constrain devices (cgroups). Everywhere
else drivers list all GPUs of the node, and only these variables tell which ones are ours.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping

from orket_lib.telemetry.devices.reading import Device, DeviceInfo, Vendor

_VARIABLES: Mapping[Vendor, str] = {
    "nvidia": "CUDA_VISIBLE_DEVICES",
    "amd": "ROCR_VISIBLE_DEVICES",
}


def granted(vendor: Vendor, environment: Mapping[str, str] = os.environ) -> tuple[str, ...] | None:
    """Return the UUIDs or indexes of the job's GPUs.

    Args:
        vendor: Of the GPUs.
        environment: Of a process.

    Returns:
        None outside of a Slurm job, and in one that was granted GPUs of no kind.
    """
    listed = environment.get(_VARIABLES[vendor])
    if listed is None or "SLURM_JOB_ID" not in environment:
        return None
    return tuple(name for word in listed.split(",") if (name := word.strip()))


def only_granted(devices: Iterable[Device]) -> tuple[Device, ...]:
    """Return the GPUs that this job may use: all of them, unless Slurm granted it some."""
    return tuple(device for device in devices if is_granted(device.info))


def is_granted(info: DeviceInfo) -> bool:
    """Tell whether this job may use a GPU."""
    ours = granted(info.vendor)
    return ours is None or is_named(info, ours)


def is_named(info: DeviceInfo, names: Collection[str]) -> bool:
    """Return whether a GPU is named: by its UUID, its card's, or its index.

    As with CUDA, the beginning of a UUID is enough.
    """
    own = [uuid for uuid in (info.uuid, info.parent_uuid) if uuid]
    return str(info.index) in names or any(
        uuid.startswith(name) for uuid in own for name in names if not name.isdigit()
    )
