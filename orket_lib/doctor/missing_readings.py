"""Readings that will be null on a machine or with a provider, and why."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields

from orket_lib.artifacts.printed.doctor import MissingReading
from orket_lib.telemetry import counters
from orket_lib.telemetry.allowance.cpus import cpu_allowance
from orket_lib.telemetry.devices.opening import Devices
from orket_lib.telemetry.devices.reading import Device
from orket_lib.vocabulary.null_reasons import meaning_of
from orket_lib.vocabulary.nulls import Null
from orket_lib.vocabulary.providers import ALREADY_RUNNING, PROVIDERS

_NO_GPU = ("NO_GPU_USED", "models are served from main memory")
_NONE_SHOWN = ("NO_GPU", "no driver shows a GPU, and the server may still use one")
_REMOTE = ("REMOTE_SERVER", "the server is on another machine")
_OF_GPUS = ("peak_vram_mib", "joules_per_output_token", "joules_per_correct_answer")
_VENDORS = {"nvidia": "NVIDIA", "amd": "AMD"}


def missing_on_machine() -> Iterator[MissingReading]:
    """Yield the readings that this machine has no sensor for."""
    host = counters.host(cpu_allowance().allowed)
    for reading, value, reason in (
        ("temperature", host.temperature_c, "NO_TEMPERATURE_SENSOR"),
        ("frequency", host.frequency_mhz, "NO_FREQUENCY_COUNTER"),
        ("energy", host.energy_uj, "NO_ENERGY_COUNTER"),
        ("steal", host.steal_s, "NO_STEAL_COUNTER"),
        ("load", host.load_1min, "NO_LOAD_AVERAGE"),
        ("swapping", host.swapped, "NO_SWAP_COUNTER"),
        ("pressure", host.psi_cpu_some_us, "NO_PSI"),
    ):
        if value is None:
            yield _missing(reading, reason)


def missing_of_gpus(found: Devices) -> Iterator[MissingReading]:
    """Yield the readings that the GPUs of this machine lack, and the vendors without a GPU."""
    for vendor, reason in found.absent.items():
        yield _missing(f"{_VENDORS[vendor]} GPUs", reason)
    for device in found.devices:
        for name, why in _null_readings(device):
            yield _missing(f"GPU {device.info.index} {name}", why.reason)


def _null_readings(device: Device) -> Iterator[tuple[str, Null]]:
    for record in (device.gauges(), device.details()):
        for item in fields(record):
            value = getattr(record, item.name)
            if isinstance(value, Null):
                yield item.name, value
    listed = device.processes()
    if isinstance(listed, Null):
        yield "processes", listed


def _missing(reading: str, reason: str) -> MissingReading:
    return MissingReading(reading=reading, reason=reason, meaning=meaning_of(reason))


def missing_with(
    provider: str, attached: bool, remote: bool, has_gpu: bool
) -> Iterator[MissingReading]:
    """Yield the fields that rows lack with a provider.

    Args:
        provider: The provider.
        attached: Whether its server is already running, if the provider could start one.
        remote: Whether it is on another machine.
        has_gpu: Whether this machine shows a GPU.
    """
    traits = PROVIDERS[provider]
    table = dict(traits.never_reports)
    if traits.on_cpu:
        table |= dict.fromkeys(_OF_GPUS, _NO_GPU)
    elif remote:
        table |= dict.fromkeys(_OF_GPUS, _REMOTE)
    elif not has_gpu:
        table |= dict.fromkeys(_OF_GPUS, _NONE_SHOWN)
        if traits.reports_vram:  # the server itself reports that it uses none
            table["peak_vram_mib"] = _NO_GPU
    if attached and traits.binary is not None:
        table["init_latency"] = ALREADY_RUNNING
    if remote:
        table["peak_memory_rss"] = _REMOTE
    for reading, (reason, meaning) in sorted(table.items()):
        yield MissingReading(reading=reading, reason=reason, meaning=meaning)
