"""When a KV cache is what was asked for."""

from __future__ import annotations

from typing import Any

import pytest
from kv_check import is_right

from orket_lib.artifacts.measurements.serving import KvCache


def cache(**changes: Any) -> KvCache:
    values: dict[str, Any] = {"type_k": "q8_0", "type_v": "q8_0", "cells": 16384}
    return KvCache(**(values | {"mib": 191.25, "computed_mib": 191.25} | changes))


@pytest.mark.parametrize(
    ("asked", "found", "memory_mib", "right"),
    [
        ("q8_0", cache(), 188.4, True),
        ("q4_0", cache(), 188.4, False),
        ("q8_0", cache(type_v="f16"), 188.4, False),
        ("q8_0", cache(computed_mib=186.0), 188.4, False),
        ("q8_0", cache(computed_mib=None), 188.4, False),
        ("q8_0", cache(), 149.0, False),
        ("q8_0", cache(mib=2.12, computed_mib=2.125), 9.0, True),  # too small to see
        ("q8_0", None, 188.4, False),
    ],
)
def test_types_sizes_and_memory_must_agree(
    asked: str, found: KvCache | None, memory_mib: float, right: bool
) -> None:
    assert is_right(asked, found, memory_mib) is right
