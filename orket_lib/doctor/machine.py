"""The doctor's look at the machine: memory, GPUs, programs, and what WSL has to know."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import psutil

from orket_lib.artifacts.printed.doctor import SeenGpu, SeenMachine, SeenProgram
from orket_lib.doctor.wsl import is_wsl, windows_address
from orket_lib.providers.llama_cpp.binary import build_of, listed_devices
from orket_lib.telemetry.devices.opening import Devices, open_devices
from orket_lib.telemetry.devices.reading import number_or_none
from orket_lib.telemetry.fingerprint import hardware_fingerprint
from orket_lib.vocabulary.addresses import DEFAULT_URLS

_NOT_FOUND = "not on PATH"
_SERVER, _QUANTIZER = "llama-server", "llama-quantize"
_MIB = 1024**2


def look_at_machine(folder: Path) -> SeenMachine:
    """Return what a machine is and has; nothing is started that stays.

    Args:
        folder: Where a sweep would write.
    """
    memory = psutil.virtual_memory()
    with open_devices("any") as found:
        gpus = tuple(_gpus(found))
    return SeenMachine(
        fingerprint=hardware_fingerprint(),
        cpus=psutil.cpu_count() or 0,
        memory_total_mib=memory.total / _MIB,
        memory_free_mib=memory.available / _MIB,
        disk_free_mib=shutil.disk_usage(folder).free / _MIB,
        gpus=gpus,
        programs=tuple(_programs()),
        notes=tuple(_wsl_notes()),
    )


def _gpus(found: Devices) -> Iterator[SeenGpu]:
    for device in found.devices:
        gauges, info = device.gauges(), device.info
        yield SeenGpu(
            index=info.index,
            name=info.name,
            uuid=info.uuid,
            total_mib=number_or_none(gauges.memory_total_mib),
            free_mib=number_or_none(gauges.memory_free_mib),
        )


def _programs() -> Iterator[SeenProgram]:
    """Yield what a sweep can use: runtime, server, quantizer, and a sandbox for code."""
    try:
        found: str | None = version("xllamacpp")
    except PackageNotFoundError:
        found = None
    hint = f"xllamacpp {found}" if found else "not installed; type: pip install xllamacpp"
    yield SeenProgram(name="embedded llama.cpp", path="xllamacpp" if found else None, detail=hint)
    server = shutil.which(_SERVER)
    detail = _described(server) if server else _NOT_FOUND
    yield SeenProgram(name=_SERVER, path=server, detail=detail)
    quantizer = shutil.which(_QUANTIZER)
    yield SeenProgram(name=_QUANTIZER, path=quantizer, detail=quantizer or _NOT_FOUND)
    yield _sandbox()


def _wsl_notes() -> Iterator[str]:
    """Yield what somebody has to know whose Linux runs inside Windows."""
    if not is_wsl():
        return
    address = windows_address()
    if address is None:
        yield "this is WSL, and servers on Windows are on localhost (mirrored networking)"
        return
    example = DEFAULT_URLS["ollama"].replace("127.0.0.1", address)
    yield (
        f"this is WSL: servers on Windows are at {address}, not on localhost, and have to listen "
        f"there (Ollama: OLLAMA_HOST=0.0.0.0); that is another machine's address, so a config says "
        f"base_url: {example} and allow_remote: true, and `orket doctor --server ollama={example} "
        "--allow-remote` looks there"
    )


def _described(server: str) -> str:
    """Return the build of a llama-server, and the GPUs that it can use."""
    devices = listed_devices(server)
    names = ", ".join(f"{item.name} {item.description}" for item in devices or ())
    gpus = "GPUs unknown" if devices is None else names or "CPU only"
    build = build_of(server)
    return f"{server}, {f'version {build}, ' if build else ''}{gpus}"


def _sandbox() -> SeenProgram:
    """Return what can hold code that a model wrote; the kinds with walls are for Linux."""
    name = "sandbox for code"
    if sys.platform != "linux":
        return SeenProgram(name=name, path=None, detail="none with walls on this system")
    from orket_lib.sandbox.detect import Unavailable, find_sandbox

    found = find_sandbox()
    if isinstance(found, Unavailable):
        return SeenProgram(name=name, path=None, detail=found.reason)
    return SeenProgram(name=name, path=found.name, detail=found.description)
