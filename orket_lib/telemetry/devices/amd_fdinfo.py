"""What a process holds on an AMD card by its own books: the kernel's `fdinfo` of its open files.

It covers what KFD doesn't list: llama.cpp through Vulkan. Only the files of one's own processes can
be read, and looking through those of all others would cost more than a sampler may, so it is asked
for the server's processes alone (drm-usage-stats).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

_KIB_PER_MIB = 1024
_MEMORY = ("drm-memory-vram", "drm-resident-vram", "drm-total-vram")
_UNITS = {"": 1 / 1024, "KiB": 1.0, "MiB": 1024.0}  # in KiB


def vram_mib(pid: int, pci: str, proc: Path) -> float | None:
    """Return the memory that a process holds on a card, None where it shows none.

    Args:
        pid: The process.
        pci: Address of the card, such as `0000:03:00.0`.
        proc: Where `/proc` is.
    """
    clients: dict[str, float] = {}  # a file that was opened twice is one client, counted once
    for words in _files(proc / str(pid) / "fdinfo"):
        if words.get("drm-pdev") == pci:
            told = next((words[name] for name in _MEMORY if name in words), None)
            if told is not None:
                clients[words.get("drm-client-id", "")] = _kib(told)
    return sum(clients.values()) / _KIB_PER_MIB if clients else None


def _files(folder: Path) -> Iterator[dict[str, str]]:
    try:
        paths = list(folder.iterdir())
    except OSError:  # it ended, or is not ours to look at
        return
    for path in paths:
        try:
            text = path.read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
        if "drm-pdev" in text:
            lines = (line.partition(":") for line in text.splitlines())
            yield {name.strip(): value.strip() for name, _, value in lines}


def _kib(told: str) -> float:
    amount, _, unit = told.partition(" ")
    return float(amount) * _UNITS.get(unit.strip(), 0.0) if amount.isdecimal() else 0.0
