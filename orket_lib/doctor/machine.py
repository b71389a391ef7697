"""The machine: memory, GPUs, programs, and the Windows Subsystem for Linux (WSL)."""

from __future__ import annotations

import ipaddress
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from orket_lib.artifacts.printed.doctor import SeenGpu, SeenMachine, SeenProgram
from orket_lib.providers.llama_cpp.binary import build_of, listed_devices
from orket_lib.providers.llama_cpp.cpu_features import embedded_leaves_unused
from orket_lib.sandbox.detect import Unavailable, find_sandbox
from orket_lib.telemetry.allowance.cpus import cpu_allowance, cpu_time_limit_s
from orket_lib.telemetry.allowance.memory import memory_allowance
from orket_lib.telemetry.devices.opening import Devices, open_devices
from orket_lib.telemetry.devices.reading import number_or_none
from orket_lib.telemetry.environment import package_version
from orket_lib.telemetry.fingerprint import hardware_fingerprint
from orket_lib.vocabulary.cpu_features import advice
from orket_lib.vocabulary.providers import default_urls
from orket_lib.vocabulary.units import MIB

_NOT_FOUND = "not on PATH"
_SERVER, _QUANTIZER = "llama-server", "llama-quantize"
_PROC = Path("/proc")
_DEFAULT_ROUTE = "00000000"


def look_at_machine(folder: Path) -> SeenMachine:
    """Return the hardware and programs of this machine.

    Args:
        folder: Folder that a sweep would write to.
    """
    cpus, memory = cpu_allowance(), memory_allowance()
    with open_devices("any") as found:
        gpus = tuple(_gpus(found))
    return SeenMachine(
        fingerprint=hardware_fingerprint(),
        cpus=cpus.online,
        cpus_usable=cpus.usable,
        cpu_limits=cpus.limits,
        default_threads=cpus.threads,
        memory_total_mib=memory.total_mib,
        memory_free_mib=memory.free_mib,
        memory_limit=memory.limited_by,
        cpu_time_limit_s=cpu_time_limit_s(),
        disk_free_mib=shutil.disk_usage(folder).free / MIB,
        unused_cpu_features=embedded_leaves_unused(),
        gpus=gpus,
        programs=tuple(_programs()),
        notes=(*_wsl_notes(), *_build_notes()),
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
    """Yield the programs that a sweep can use."""
    found = package_version("xllamacpp")
    hint = f"xllamacpp {found}" if found else "not installed; run: pip install xllamacpp"
    yield SeenProgram(name="embedded llama.cpp", path="xllamacpp" if found else None, detail=hint)
    server = shutil.which(_SERVER)
    detail = _described(server) if server else _NOT_FOUND
    yield SeenProgram(name=_SERVER, path=server, detail=detail)
    quantizer = shutil.which(_QUANTIZER)
    yield SeenProgram(name=_QUANTIZER, path=quantizer, detail=quantizer or _NOT_FOUND)
    yield _sandbox()


def _wsl_notes() -> Iterator[str]:
    """Yield notes for a Linux that runs inside Windows."""
    if not is_wsl():
        return
    address = windows_address()
    if address is None:
        yield "this is WSL, and servers on Windows are on localhost (mirrored networking)"
        return
    example = default_urls()["ollama"].replace("127.0.0.1", address)
    yield (
        f"this is WSL: servers on Windows are at {address}, not on localhost, and have to listen "
        f"there (Ollama: OLLAMA_HOST=0.0.0.0). To use one, set base_url: {example} and "
        f"allow_remote: true; to look for models there, run `orket doctor --server "
        f"ollama={example} --allow-remote`"
    )


def _build_notes() -> Iterator[str]:
    """Yield what the embedded llama.cpp leaves unused of this CPU."""
    unused = embedded_leaves_unused()
    if unused:
        yield advice(unused, shutil.which(_SERVER))


def _described(server: str) -> str:
    """Return the build of a llama-server, and the GPUs that it can use."""
    devices = listed_devices(server)
    names = ", ".join(f"{item.name} {item.description}" for item in devices or ())
    gpus = "GPUs unknown" if devices is None else names or "CPU only"
    build = build_of(server)
    return f"{server}, {f'version {build}, ' if build else ''}{gpus}"


def _sandbox() -> SeenProgram:
    """Return the sandbox for code that a model wrote; isolation is available on Linux only."""
    name = "sandbox for code"
    if sys.platform != "linux":
        return SeenProgram(name=name, path=None, detail="none that isolates on this system")
    found = find_sandbox()
    if isinstance(found, Unavailable):
        return SeenProgram(name=name, path=None, detail=found.reason)
    return SeenProgram(name=name, path=found.name, detail=found.description)


def is_wsl(proc: Path = _PROC) -> bool:
    """Tell whether this Linux runs inside Windows."""
    try:
        return "microsoft" in (proc / "version").read_text(encoding="utf-8").lower()
    except OSError:
        return False


def windows_address(proc: Path = _PROC) -> str | None:
    """Return the address of Windows, which is the default gateway of a WSL; None outside a WSL.

    Without a gateway it is None, too: with mirrored networking Windows is on localhost.
    """
    if not is_wsl(proc):
        return None
    try:
        lines = (proc / "net" / "route").read_text(encoding="ascii").splitlines()[1:]
    except OSError:
        return None
    for fields in map(str.split, lines):
        if len(fields) > 2 and fields[1] == _DEFAULT_ROUTE and fields[2] != _DEFAULT_ROUTE:
            return str(ipaddress.IPv4Address(bytes.fromhex(fields[2])[::-1]))
    return None
