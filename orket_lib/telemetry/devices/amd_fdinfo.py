"""Memory of a process on an AMD card, from the kernel's `fdinfo` of its open files.

It covers what KFD doesn't list, such as llama.cpp through Vulkan (drm-usage-stats). Only the files
of our own user's processes are readable, and reading those of all processes would cost too
much in a sampler, so only the server's processes are looked up.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

_MEMORY = ("drm-memory-vram", "drm-resident-vram", "drm-total-vram")
_UNITS = {"": 1 / 1024, "KiB": 1.0, "MiB": 1024.0}  # in KiB


def vram_mib(pid: int, pci: str, proc: Path) -> float | None:
    """Return the memory of a process on a card in MiB; None if it shows none.

    Args:
        pid: The process.
        pci: Address of the card, such as `0000:03:00.0`.
        proc: Mount point of procfs.
    """
    clients: dict[str, float] = {}  # by id: a file opened twice is one client
    for words in _files(proc / str(pid) / "fdinfo"):
        if words.get("drm-pdev") == pci:
            amount = next((words[name] for name in _MEMORY if name in words), None)
            if amount is not None:
                clients[words.get("drm-client-id", "")] = _kib(amount)
    return sum(clients.values()) / 1024 if clients else None


def _files(folder: Path) -> Iterator[dict[str, str]]:
    try:
        paths = list(folder.iterdir())
    except OSError:  # it ended, or belongs to another user
        return
    for path in paths:
        try:
            text = path.read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
        if "drm-pdev" in text:
            lines = (line.partition(":") for line in text.splitlines())
            yield {name.strip(): value.strip() for name, _, value in lines}


def _kib(amount: str) -> float:
    number, _, unit = amount.partition(" ")
    return float(number) * _UNITS.get(unit.strip(), 0.0) if number.isdecimal() else 0.0
