"""Which devices a measurement locks.

Always the CPU: the client's clock runs there, and the server uses it. A model in main memory needs
nothing else. Any other model also needs the GPUs that its server may use: those in the config, or
all. Parts of a card (MIG) share its temperature and clock, so the whole card is locked.
"""

from __future__ import annotations

from orket_lib.artifacts.measurements.serving import ServerLocation
from orket_lib.processes.device_lock import CPU
from orket_lib.telemetry.devices.opening import open_devices
from orket_lib.vocabulary.providers import PROVIDERS


def locked_devices(
    provider: str, gpu_devices: tuple[str, ...] | None, place: ServerLocation
) -> tuple[str, ...]:
    """Return the names of the devices to be locked.

    Args:
        provider: Name of the provider.
        gpu_devices: UUIDs or indexes in the config; None means all.
        place: Where it is served; GPUs of another machine are not locked.
    """
    traits = PROVIDERS.get(provider)  # a template of a sidecar has no provider
    if (traits and traits.on_cpu) or place.remote is not None:
        return (CPU,)
    with open_devices("any") as found:
        infos = [device.info for device in found.chosen(gpu_devices).devices]
    return (CPU, *dict.fromkeys(info.parent_uuid or info.uuid for info in infos))
