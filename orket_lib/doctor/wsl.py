"""Windows Subsystem for Linux: whether this is one, and where Windows itself can be reached."""

from __future__ import annotations

import ipaddress
from pathlib import Path

_PROC = Path("/proc")
_DEFAULT_ROUTE = "00000000"


def is_wsl(proc: Path = _PROC) -> bool:
    """Tell whether this Linux runs inside Windows."""
    try:
        return "microsoft" in (proc / "version").read_text(encoding="utf-8").lower()
    except OSError:
        return False


def windows_address(proc: Path = _PROC) -> str | None:
    """Return the address of Windows as a WSL sees it, which is its default gateway; None elsewhere.

    None, too, where it has no gateway, as with mirrored networking, where Windows is on localhost.
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
