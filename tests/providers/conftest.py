"""Providers are tried on the reference model, as the traps are."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "traps"))
