"""Units of memory, in bytes."""

from __future__ import annotations

MIB = 1024**2
GIB = 1024**3
MIB_PER_GIB = 1024
