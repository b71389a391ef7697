"""What a user's own llama.cpp program says of itself: its build, and the GPUs that it can use.

A build without GPU support is an ordinary thing to have on a machine with a GPU, and only the
program itself knows.
"""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass

_PATIENCE_S = 10.0  # starting a GPU's driver takes seconds
_DEVICE = re.compile(r"^\s+(\S+): (.+) \((\d+) MiB, (\d+) MiB free\)\s*$", re.MULTILINE)
_VERSION = re.compile(r"^version: (.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Device:
    """A GPU that a llama.cpp program can use.

    Attributes:
        name: As the program calls it, such as `CUDA0`.
        description: As its driver calls it.
        free_mib: Memory that is free on it.
    """

    name: str
    description: str
    free_mib: float


def listed_devices(binary: str) -> tuple[Device, ...] | None:
    """Return the GPUs that a program can use; none for a CPU build, None when it doesn't say."""
    said = _said(binary, "--list-devices")
    if said is None or "Available devices" not in said:
        return None
    return tuple(
        Device(name, description, float(free))
        for name, description, total, free in _DEVICE.findall(said)
        if int(total)  # a library for matrices is listed, too, and holds no model
    )


def build_of(binary: str) -> str | None:
    """Return the version that a program prints, or None."""
    found = _VERSION.search(_said(binary, "--version") or "")
    return found[1].strip() if found else None


def _said(binary: str, option: str) -> str | None:
    """Return what a program prints for an option, or None when it doesn't run or doesn't end."""
    try:
        done = subprocess.run(
            [binary, option],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_PATIENCE_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return (done.stdout + done.stderr).decode("utf-8", "replace") if not done.returncode else None
