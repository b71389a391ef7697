"""Which processor this machine has, in words that tell it from others.

Linux gives a `model name` on x86 only. An ARM board is known by its own name and by the part
numbers of its cores; a Mac by what `sysctl` calls the chip; Windows has a name in its registry.
"""

from __future__ import annotations

import platform
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

_ASK_S = 5.0
_X86 = ("x86_64", "amd64", "i386", "i686")
# Of other architectures, the first of these that /proc/cpuinfo has: MIPS and LoongArch, POWER,
# RISC-V.
_NAMES = ("cpu model", "model name", "cpu", "uarch")
_GPU_CORES = re.compile(r'"gpu-core-count" = (\d+)')
# Names that firmware has by default.
_PLACEHOLDERS = ("", "default string", "system product name", "to be filled by o.e.m.", "none")


def cpu_model(root: Path = Path("/")) -> str:
    """Return the processor's name.

    Args:
        root: Root of the file system.
    """
    if platform.system() == "Darwin":
        return _asked("sysctl", "-n", "machdep.cpu.brand_string") or older_cpu_model(root)
    found = _cpuinfo(root)
    if found is None:
        return _windows_name() or older_cpu_model(root)
    if platform.machine().lower() in _X86 and "model name" in found:
        return found["model name"][0]
    words = [_board(root, found), _cores(found)]
    return " ".join(word for word in words if word) or platform.machine()


def older_cpu_model(root: Path = Path("/")) -> str:
    """Return the name that versions before 2026-12 gave, which other machines have, too."""
    found = _cpuinfo(root)
    if found is None:
        return platform.processor() or platform.machine()
    return found.get("model name", [""])[0] or platform.machine()


def apple_gpu() -> str | None:
    """Return the GPU of a Mac with an Apple chip; None on any other machine."""
    if platform.system() != "Darwin" or platform.machine() != "arm64":
        return None
    found = _GPU_CORES.search(_asked("ioreg", "-r", "-d", "1", "-c", "AGXAccelerator"))
    return f"apple gpu, {found[1]} cores" if found else "apple gpu"


def _cpuinfo(root: Path) -> dict[str, list[str]] | None:
    """Return the values of each key in /proc/cpuinfo, in order; None without that file."""
    try:
        text = Path(root, "proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        key, _, value = line.partition(":")
        found.setdefault(key.strip().lower(), []).append(value.strip())
    return found


def _board(root: Path, cpuinfo: Mapping[str, Sequence[str]]) -> str:
    """Return the name of the board or computer; empty if nothing knows it."""
    firmware = root / "sys/class/dmi/id"
    names = [
        *cpuinfo.get("model", ())[:1],
        _text(root / "proc/device-tree/model"),
        f"{_text(firmware / 'sys_vendor')} {_text(firmware / 'product_name')}",
    ]
    # POWER's and RISC-V's `model` may be a number.
    known = (" ".join(name.replace("|", "/").split()) for name in names if not name.isdigit())
    return next((name for name in known if name.lower() not in _PLACEHOLDERS), "")


def _cores(cpuinfo: Mapping[str, Sequence[str]]) -> str:
    """Return what the cores are, each kind once: a board may have fast and slow ones."""
    parts = zip(cpuinfo.get("cpu implementer", ()), cpuinfo.get("cpu part", ()), strict=False)
    kinds = sorted({":".join(pair) for pair in parts})
    if kinds:
        return f"{platform.machine()} {'+'.join(kinds)}"
    named = (value for name in _NAMES for value in cpuinfo.get(name, ()) if value)
    return next(named, "") or platform.machine()


def _asked(*command: str) -> str:
    """Return what a program prints; empty if there is none."""
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=_ASK_S, check=True, errors="replace"
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip()


def _windows_name() -> str:
    if sys.platform != "win32":
        return ""
    import winreg

    path = r"HARDWARE\DESCRIPTION\System\CentralProcessor\0"
    try:
        with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, path) as key:
            return str(winreg.QueryValueEx(key, "ProcessorNameString")[0]).strip()
    except OSError:
        return ""


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").replace("\0", " ").strip()
    except OSError:
        return ""
