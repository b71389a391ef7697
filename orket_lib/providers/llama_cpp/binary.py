"""The facts that a llama.cpp program reports about itself: its build, flags, and usable GPUs.

A build without GPU support is common on a machine with a GPU, and only the program itself knows.
"""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from functools import cache

from orket_lib.processes.which import find_program
from orket_lib.vocabulary.errors import LoadError
from orket_lib.vocabulary.failures import Cause

_REPORT_TIMEOUT_S = 10.0  # starting a GPU's driver takes seconds
_HELP_TIMEOUT_S = 60.0  # a build for GPUs looks for them first
_DEVICE = re.compile(r"^\s+(\S+): (.+) \((\d+) MiB, (\d+) MiB free\)\s*$", re.MULTILINE)
_VERSION = re.compile(r"^version: (.+)$", re.MULTILINE)
_TRACE = re.compile(r"^\s+- 4: *trace", re.MULTILINE)
_FLAG = re.compile(r"(?<![\w-])--[a-z][a-z-]+")


@dataclass(frozen=True)
class Device:
    """A GPU that a llama.cpp program can use.

    Attributes:
        name: In the program, such as `CUDA0`.
        description: Of the driver.
        free_mib: Free memory.
    """

    name: str
    description: str
    free_mib: float


def find_binary(name: str) -> str:
    """Return the path of the server's binary.

    Raises:
        LoadError: There is none, or it is not executable.
    """
    path = find_program(name)
    if path is None:
        message = f"server_binary: there is no program {name} (neither a path nor on PATH)"
        raise LoadError(message, Cause.NOT_SET_UP)
    return path


def listed_devices(binary: str) -> tuple[Device, ...] | None:
    """Return the GPUs that a program can use: none for a CPU build, None when not reported."""
    text = _report(binary, "--list-devices")
    if text is None or "Available devices" not in text:
        return None
    return tuple(
        Device(name, description, float(free))
        for name, description, total, free in _DEVICE.findall(text)
        if int(total)  # a BLAS library is listed, too, and has no memory
    )


def build_of(binary: str) -> str | None:
    """Return the version that a program prints, or None."""
    found = _VERSION.search(_report(binary, "--version") or "")
    return found[1].strip() if found else None


def known_flags(binary: str) -> frozenset[str]:
    """Return the flags that a build's help names.

    Raises:
        LoadError: The binary does not run.
    """
    return frozenset(_FLAG.findall(_help(binary)))


def logs_by_level(binary: str) -> bool:
    """Tell whether a build logs how it has loaded a model only at level 4; older ones always do.

    Raises:
        LoadError: The binary does not run.
    """
    return _TRACE.search(_help(binary)) is not None


@cache
def _help(binary: str) -> str:
    try:
        ended = _run(binary, "--help", _HELP_TIMEOUT_S)
    except OSError as error:
        raise LoadError(f"{binary}: {error.strerror}", Cause.NOT_SET_UP) from None
    except subprocess.TimeoutExpired:
        message = f"{binary} --help: no answer in {_HELP_TIMEOUT_S:g} s"
        raise LoadError(message, Cause.TIMEOUT) from None
    text = ended.stdout.decode(errors="replace")
    if ended.returncode:
        last = (text.strip().splitlines() or ["no output"])[-1]
        raise LoadError(
            f"{binary} --help: exit status {ended.returncode}: {last[:200]}", Cause.NOT_SET_UP
        )
    return text


def _report(binary: str, option: str) -> str | None:
    """Return the output of a program for an option; None when it fails or doesn't end."""
    try:
        ended = _run(binary, option, _REPORT_TIMEOUT_S)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return None if ended.returncode else ended.stdout.decode("utf-8", "replace")


def _run(binary: str, option: str, timeout_s: float) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [binary, option],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=timeout_s,
        check=False,
    )
