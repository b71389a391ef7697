"""What slows an AMD card: the field of `gpu_metrics` that means the same on every one.

The kernel hands out a packed structure with its version in front (kgd_pp_interface.h). Only the
versions that have `indep_throttle_status`, whose bits are those of amdgpu_smu.h on all cards, are
read; older ones number their bits card by card.
"""

from __future__ import annotations

import struct
from pathlib import Path

from orket_lib.telemetry.devices.reading import Throttle
from orket_lib.vocabulary.nulls import Null

_HEADER = struct.Struct("<HBB")  # size of the whole, format, content
_STATUS = struct.Struct("<Q")
# (format, content) and where the field begins, in bytes.
_PLACES = {(1, 3): 112, (2, 2): 120, (2, 3): 120, (2, 4): 120}
_UNSET = 2**64 - 1  # the kernel fills with ones what a card doesn't tell

# Bits of indep_throttle_status: 0-15 power, 16-31 current, 32-47 heat and voltage regulators.
_POWER = range(32)
_HEAT = range(32, 46)
_PROCHOT = range(46, 48)  # a signal from outside of the chip


def throttle_of(path: Path) -> frozenset[Throttle] | Null:
    """Return why a card is slowed, or why that can't be told."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return Null("NO_SENSOR")
    except OSError:
        return Null("NOT_SUPPORTED")
    if len(data) < _HEADER.size:
        return Null("NOT_SUPPORTED")
    _, form, content = _HEADER.unpack_from(data)
    place = _PLACES.get((form, content))
    if place is None or len(data) < place + _STATUS.size:
        return Null(f"GPU_METRICS_V{form}_{content}_NOT_READ")
    (bits,) = _STATUS.unpack_from(data, place)
    return throttle_words(bits)


def throttle_words(bits: int) -> frozenset[Throttle] | Null:
    """Return what the bits of `indep_throttle_status` mean."""
    if bits == _UNSET:
        return Null("NOT_SUPPORTED")
    words: set[Throttle] = set()
    if any(bits >> bit & 1 for bit in _POWER):
        words.add("sw_power_cap")
    if any(bits >> bit & 1 for bit in _HEAT):
        words.add("sw_thermal")
    if any(bits >> bit & 1 for bit in _PROCHOT):
        words.add("hw_thermal")
    return frozenset(words)
