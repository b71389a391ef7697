"""How an energy was measured."""

from __future__ import annotations

from typing import Literal

# `counter`: the device's own counter, end less start. `power`: its power over time, added up by us,
# where it has no counter. `mixed`: some devices one way, some the other.
EnergyMethod = Literal["counter", "power", "mixed"]
