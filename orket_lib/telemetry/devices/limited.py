"""A driver that may hang: each call to it has a time limit."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from orket_lib.processes.time_limit import within
from orket_lib.telemetry.devices.reading import Details, Device, DeviceInfo, DeviceProcess, Gauges
from orket_lib.vocabulary.errors import SamplerError
from orket_lib.vocabulary.nulls import Null

DRIVER_S = 20.0  # a driver that wakes up a card takes seconds

_Result = TypeVar("_Result")


def answered(call: Callable[[], _Result]) -> _Result:
    """Return what a call to a driver returns.

    Raises:
        SamplerError: It takes longer than the limit.
    """
    try:
        return within(DRIVER_S, call)
    except TimeoutError:
        raise SamplerError(
            f"the GPU driver gave no answer within {DRIVER_S:g} s. If `nvidia-smi` or `amd-smi` "
            "hangs too, restart the machine; then run the same command again"
        ) from None


@contextmanager
def limited(opening: AbstractContextManager[_Result]) -> Iterator[_Result]:
    """Open and close something of a driver, each within the limit.

    Raises:
        SamplerError: Opening takes longer than the limit; closing is left behind.
    """
    opened = answered(opening.__enter__)
    try:
        yield opened
    finally:
        with suppress(SamplerError):
            answered(partial(opening.__exit__, None, None, None))


@dataclass(frozen=True)
class LimitedDevice:
    """A GPU whose readings raise SamplerError if the driver takes longer than the limit."""

    device: Device

    @property
    def info(self) -> DeviceInfo:
        """Which GPU it is."""
        return self.device.info

    def gauges(self) -> Gauges:
        """Return the fast readings."""
        return answered(self.device.gauges)

    def details(self) -> Details:
        """Return the slow readings."""
        return answered(self.device.details)

    def processes(self, ours: Collection[int] = ()) -> tuple[DeviceProcess, ...] | Null:
        """Return the processes on it, or why they can't be listed."""
        return answered(partial(self.device.processes, ours))
