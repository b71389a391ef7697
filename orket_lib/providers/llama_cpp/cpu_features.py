"""Which instructions of this CPU the embedded llama.cpp leaves unused."""

from __future__ import annotations

import subprocess
import sys
from functools import cache
from pathlib import Path

from orket_lib.vocabulary.cpu_features import features_of_cpu, unused_features

_ASK_S = 30.0
# In a process of its own: a wheel that this CPU can't run ends with an illegal instruction.
_ASK = "import xllamacpp; print(xllamacpp.get_system_info())"


def left_unused(system_info: str, root: Path = Path("/")) -> tuple[str, ...]:
    """Return the CPU features that a build doesn't use; empty where the system doesn't list them.

    Args:
        system_info: Of the build.
        root: Root of the file system.
    """
    return unused_features(system_info, _of_this_cpu(root))


@cache
def embedded_leaves_unused(root: Path = Path("/")) -> tuple[str, ...]:
    """Return the CPU features that the embedded llama.cpp doesn't use; empty if it is missing."""
    if not _of_this_cpu(root):  # asking takes a moment
        return ()
    try:
        done = subprocess.run(
            [sys.executable, "-c", _ASK],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_ASK_S,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return ()
    return left_unused(done.stdout, root)


def _of_this_cpu(root: Path) -> frozenset[str]:
    try:
        text = (root / "proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return frozenset()
    return features_of_cpu(text)
