"""All preflight checks of a sweep."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from orket_lib.artifacts.views.preflight import (
    QUANTIZE_BINARY,
    Needs,
    PreflightCheck,
    ServerNeeds,
)
from orket_lib.preflight.files import check_bases, check_files, files_to_make
from orket_lib.preflight.memory import memory_checks
from orket_lib.preflight.servers import check_server
from orket_lib.processes.device_lock import locks_here
from orket_lib.processes.lock_folder import REMEDY
from orket_lib.processes.which import find_program
from orket_lib.sandbox.detect import Unavailable, find_sandbox
from orket_lib.telemetry.allowance.cpus import cpu_allowance
from orket_lib.telemetry.devices.granted import is_named
from orket_lib.telemetry.devices.opening import open_devices
from orket_lib.vocabulary.errors import Refused
from orket_lib.vocabulary.providers import PROVIDERS
from orket_lib.vocabulary.units import MIB

PATIENCE_S = 30.0  # a server that is loading a model may answer late
_FREE_DISK_MIB = 200  # journals, samples and reports of a large sweep


def check_all(
    needs: Needs, workspace: Path, patience_s: float = PATIENCE_S
) -> tuple[PreflightCheck, ...]:
    """Return one check for each thing that a sweep needs.

    Args:
        needs: Of the sweep.
        workspace: Folder that it writes to.
        patience_s: Time limit for the answer of a server.
    """
    parts: tuple[ServerNeeds, ...] = (needs, *needs.others)
    found = [check for part in parts for check in _checks(part, workspace, patience_s)]
    return tuple(dict.fromkeys(found))


def _checks(needs: ServerNeeds, workspace: Path, patience_s: float) -> tuple[PreflightCheck, ...]:
    """Return the checks of what the models of one server need."""
    checks, sizes = check_files(needs)
    base_checks, made_sizes, made_mib = check_bases(needs)
    checks, sizes = [*checks, *base_checks], [*sizes, *made_sizes]
    if not PROVIDERS[needs.provider].starts_server(needs.place.base_url):
        server_checks, server_sizes = check_server(needs, patience_s)
        checks, sizes = [*checks, *server_checks], [*sizes, *server_sizes]
    # Without any size the memory check could only repeat the failures above.
    nothing_known = not sizes and any(not check.ok for check in checks)
    memory = () if nothing_known else memory_checks(needs, sizes)
    found = (*_runtime(needs), *_programs(needs), *_named_gpus(needs), *_sandbox(needs))
    found = (*found, *_locks(), *_cpus(needs))
    return (*found, *checks, _disk(workspace, made_mib), *memory)


def _runtime(needs: ServerNeeds) -> Iterator[PreflightCheck]:
    package = PROVIDERS[needs.provider].runtime
    if package:
        found = find_spec(package) is not None
        yield PreflightCheck(
            name=f"{needs.provider} llama.cpp",
            ok=found,
            detail="found" if found else "not installed",
            remedy=None if found else f"pip install {package}",
        )


def _programs(needs: ServerNeeds) -> Iterator[PreflightCheck]:
    """Yield a check for each program that the sweep starts: it exists and is executable."""
    for key, name in needs.programs.items():
        if key == QUANTIZE_BINARY and not files_to_make(needs):
            continue
        found = find_program(name)
        bare = Path(name).name == name
        where = f"in PATH: {os.environ.get('PATH', '')}" if bare else f"at {name}"
        yield PreflightCheck(
            name=name,
            ok=found is not None,
            detail=found or f"no such program, looked for {where}",
            remedy=None if found else f"set {key} to its path",
        )


def _named_gpus(needs: ServerNeeds) -> Iterator[PreflightCheck]:
    """Yield a check for each GPU that the config names but no driver shows.

    A server without any of its GPUs silently serves from main memory. If no driver shows a GPU, as
    on a cluster's head node, this is only a warning.
    """
    starts = PROVIDERS[needs.provider].starts_binary(needs.place.base_url)
    if not needs.gpu_devices or needs.cpu_only or not starts:
        return
    with open_devices("any") as found:
        infos = [device.info for device in found.devices]
    shown = ", ".join(f"{info.index} {info.name} ({info.uuid})" for info in infos)
    for name in needs.gpu_devices:
        if not any(is_named(info, (name,)) for info in infos):
            yield PreflightCheck(
                name=f"GPU {name}",
                ok=not infos,
                warning=not infos,
                detail=f"gpu_devices names it, but no driver shows it; found: {shown or 'none'}",
            )


def _sandbox(needs: ServerNeeds) -> Iterator[PreflightCheck]:
    """Yield a check of the sandbox; without one, rows with code tasks are incomplete."""
    if needs.code_sandbox is None:
        return
    found = find_sandbox(needs.code_sandbox)
    if isinstance(found, Unavailable):
        yield PreflightCheck(
            name="sandbox",
            ok=True,
            warning=True,
            detail=f"none for the code in answers, so rows will be incomplete: {found.reason}",
            remedy="install bubblewrap; other values of code_sandbox: docs/reference/security.md",
        )
    else:
        yield PreflightCheck(name="sandbox", ok=True, detail=found.description)


def _locks() -> Iterator[PreflightCheck]:
    """Yield a check of the lock folder, unless it is the one that everyone uses."""
    try:
        note = locks_here().note
    except Refused as error:
        detail = str(error).removesuffix(f"; {REMEDY}")
        yield PreflightCheck(name="locks", ok=False, detail=detail, remedy=REMEDY)
        return
    if note:
        yield PreflightCheck(name="locks", ok=True, warning=True, detail=note, remedy=REMEDY)


def _cpus(needs: ServerNeeds) -> Iterator[PreflightCheck]:
    """Yield a check of the CPUs that a server here may use, if they are limited (T33)."""
    if not PROVIDERS[needs.provider].starts_server(needs.place.base_url):
        return
    found = cpu_allowance()
    if not found.limited:
        return
    # A server can't keep below less than one CPU: it is stopped in the middle of its work.
    stops = found.usable_cores < found.threads
    yield PreflightCheck(
        name="CPUs",
        ok=True,
        warning=stops,
        detail=(
            f"{found.usable:g} of {found.online} may be used ({'; '.join(found.limits)}); "
            f"default threads: {found.threads}"
            + ("; its quota will stop the server, and lane lab drops the speeds" if stops else "")
        ),
        remedy="give this container or job at least one whole CPU" if stops else None,
    )


def _disk(workspace: Path, made_mib: float) -> PreflightCheck:
    free = shutil.disk_usage(workspace).free / MIB
    needed = _FREE_DISK_MIB + made_mib
    models = f", {made_mib:.0f} of them for models that are made" if made_mib else ""
    detail = f"{free:.0f} MiB free, {needed:.0f} MiB needed{models}"
    return PreflightCheck(name="disk", ok=free >= needed, detail=detail)
