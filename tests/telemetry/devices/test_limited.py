"""A driver that hangs is not waited for."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from orket_lib.telemetry.devices import limited, opening
from orket_lib.telemetry.devices.limited import LimitedDevice
from orket_lib.telemetry.devices.opening import Devices, open_devices
from orket_lib.vocabulary.errors import SamplerError

SAID = r"the GPU driver gave no answer within 0\.2 s"


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limited, "DRIVER_S", 0.2)


@pytest.fixture
def hang() -> Iterator[Callable[..., Any]]:
    over = threading.Event()
    yield lambda *_: over.wait(60)
    over.set()


@pytest.mark.parametrize("reading", ["gauges", "details", "processes"])
def test_a_reading_that_hangs_ends(hang: Callable[..., Any], reading: str) -> None:
    device = type("Hung", (), {reading: hang})()
    with pytest.raises(SamplerError, match=SAID):
        getattr(LimitedDevice(device), reading)()


def test_a_driver_that_hangs_when_it_is_opened_ends(
    monkeypatch: pytest.MonkeyPatch, hang: Callable[..., Any]
) -> None:
    @contextmanager
    def hung() -> Iterator[None]:
        hang()
        yield

    monkeypatch.setattr(opening, "open_nvml", hung)
    with pytest.raises(SamplerError, match=SAID), open_devices("nvidia"):
        pass


def test_a_driver_that_hangs_when_it_is_closed_is_left(
    monkeypatch: pytest.MonkeyPatch, hang: Callable[..., Any]
) -> None:
    @contextmanager
    def opened(*_: object) -> Iterator[Devices]:
        yield Devices(absent={"nvidia": "NO_GPU"})
        hang()

    monkeypatch.setattr(opening, "open_unlimited", opened)
    begun = time.monotonic()
    with open_devices("nvidia") as found:
        assert found.absent == {"nvidia": "NO_GPU"}
    assert time.monotonic() - begun < 10  # the hang takes 60 s


def test_an_error_in_between_is_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    closed = []

    @contextmanager
    def opened(*_: object) -> Iterator[Devices]:
        yield Devices()
        closed.append(True)

    monkeypatch.setattr(opening, "open_unlimited", opened)
    with pytest.raises(ZeroDivisionError), open_devices("nvidia"):
        raise ZeroDivisionError
    assert closed == [True]
