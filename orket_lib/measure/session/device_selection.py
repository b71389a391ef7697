"""Which devices a measurement locks.

Always the CPU: the client's clock runs there, and the server uses it. A model in main memory needs
nothing else. Any other model also needs the GPUs that its server may use: those in the config, or
all that this job may use. Parts of a card (MIG) share its temperature and clock, so the whole card
is locked.
"""

from __future__ import annotations

from orket_lib.artifacts.measurements.serving import ServerLocation
from orket_lib.processes.device_lock import CPU
from orket_lib.telemetry.devices.granted import granted
from orket_lib.telemetry.devices.opening import Devices, open_devices
from orket_lib.vocabulary.errors import Refused
from orket_lib.vocabulary.providers import PROVIDERS


def locked_devices(
    provider: str, gpu_devices: tuple[str, ...] | None, place: ServerLocation
) -> tuple[str, ...]:
    """Return the names of the devices to be locked.

    Args:
        provider: Name of the provider.
        gpu_devices: UUIDs or indexes in the config; None means all.
        place: Where it is served; GPUs of another machine are not locked.

    Raises:
        Refused: The config names a GPU that Slurm has not granted to this job.
    """
    traits = PROVIDERS.get(provider)  # a template of a sidecar has no provider
    if (traits and traits.on_cpu) or place.remote is not None:
        return (CPU,)
    with open_devices("any") as found:
        _require_granted(gpu_devices or (), found)
        infos = [device.info for device in found.chosen(gpu_devices).devices]
    return (CPU, *dict.fromkeys(info.parent_uuid or info.uuid for info in infos))


def _require_granted(named: tuple[str, ...], found: Devices) -> None:
    """Raise if a GPU that the config names may be another job's."""
    ours = granted("nvidia") or granted("amd")
    for name in named if ours else ():
        if not found.chosen((name,)).devices:
            raise Refused(
                f"gpu_devices: names {name}, but Slurm granted this job {', '.join(ours or ())}; "
                "leave gpu_devices out of the config: a job then uses the GPUs that it gets"
            )
