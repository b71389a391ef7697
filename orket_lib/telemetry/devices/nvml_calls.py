"""Asking NVML: an answer, or the reason why there is none; nothing is raised for a card's sake."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from orket_lib.telemetry.devices.reading import LOST, Value
from orket_lib.vocabulary.nulls import Null


@dataclass(frozen=True)
class Refused:
    """What NVML says instead of an answer."""

    why: Null


def asked(call: Callable[..., Any], *arguments: Any) -> Any:
    """Return what a call of NVML says, or `Refused` with the reason."""
    import pynvml as nvml

    try:
        return call(*arguments)
    except nvml.NVMLError as error:
        return Refused(why(error))


def number(call: Callable[..., Any], *arguments: Any, scale: float = 1.0) -> Value:
    """Return the number that a call says, or why it says none."""
    found = asked(call, *arguments)
    return found.why if isinstance(found, Refused) else float(found) * scale


def why(error: Any) -> Null:
    """Return an error of NVML as the reason of a null."""
    import pynvml as nvml

    words = {
        nvml.NVML_ERROR_NOT_SUPPORTED: "NOT_SUPPORTED",
        nvml.NVML_ERROR_FUNCTION_NOT_FOUND: "NOT_SUPPORTED",
        nvml.NVML_ERROR_NO_PERMISSION: "NO_PERMISSION",
        nvml.NVML_ERROR_GPU_IS_LOST: LOST.reason,
        nvml.NVML_ERROR_GPU_NOT_FOUND: LOST.reason,
        nvml.NVML_ERROR_RESET_REQUIRED: LOST.reason,
        nvml.NVML_ERROR_LIBRARY_NOT_FOUND: "NO_DRIVER",
        nvml.NVML_ERROR_DRIVER_NOT_LOADED: "NO_DRIVER",
    }
    return Null(words.get(error.value, f"NVML_ERROR_{error.value}"))
