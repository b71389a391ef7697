"""Which devices a measurement needs for itself.

The processor always: the client's clock runs there, and a server takes its share of it. A model in
main memory needs nothing more. Any other one also needs the GPUs that its server may use: those
that are named, or all. Parts of a card share its heat and its clock, so the card is locked.
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
        provider: Who serves.
        gpu_devices: That the config names, by UUID or index; None is all.
        place: Where it is served; another machine's GPUs are not ours to lock.
    """
    traits = PROVIDERS.get(provider)  # a template of a sidecar has no provider
    if (traits and traits.on_cpu) or place.remote is not None:
        return (CPU,)
    with open_devices("any") as found:
        infos = [device.info for device in found.chosen(gpu_devices).devices]
    return (CPU, *dict.fromkeys(info.parent_uuid or info.uuid for info in infos))
