"""Cooling down: waits for a temperature, writes down what was reached, never waits for nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace

import pytest
from builders import session, spec

from orket_lib.artifacts.measurements.readiness import CooldownRecord
from orket_lib.artifacts.measurements.serving import ServerLocation
from orket_lib.artifacts.measurements.spec import CooldownSettings
from orket_lib.measure.session import cooldown
from orket_lib.measure.session.cooldown import cool_down, too_warm
from orket_lib.providers.base import Source
from orket_lib.vocabulary.nulls import Null
from orket_lib.vocabulary.reasons import Reason

HERE = Source(Path("nano.gguf"))


class Cooling:
    """A machine that gets cooler with every look; time passes only while a test waits."""

    def __init__(self, *readings: float | None) -> None:
        self._readings = list(readings)
        self.now_s = 0.0

    def read(self) -> float | None:
        return self._readings.pop(0) if len(self._readings) > 1 else self._readings[0]

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds

    def monotonic(self) -> float:
        return self.now_s


@pytest.fixture
def machine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cooling]:
    found = Cooling(*request.param)
    monkeypatch.setattr(cooldown, "cpu_temperature_c", found.read)
    monkeypatch.setattr(cooldown, "time", found)
    yield found


def wait(target_c: float = 50, timeout_sec: float = 60, source: Source = HERE) -> CooldownRecord:
    settings = CooldownSettings(target_c=target_c, timeout_sec=timeout_sec)
    record = cool_down(spec(cooldown=settings), source)
    assert record is not None
    return record


@pytest.mark.parametrize("machine", [(60.0, 55.0, 50.0, 45.0)], indirect=True)
def test_it_waits_until_the_target_is_reached(machine: Cooling) -> None:
    record = wait()
    assert (record.start_c, record.end_c, record.reached) == (60, 50, True)
    assert record.waited_s == machine.now_s == 2


@pytest.mark.parametrize("machine", [(40.0,)], indirect=True)
def test_a_cool_machine_waits_for_nothing(machine: Cooling) -> None:
    assert wait().waited_s == machine.now_s == 0


@pytest.mark.parametrize("machine", [(80.0,)], indirect=True)
def test_a_machine_that_stays_warm_goes_on_when_the_time_is_up(machine: Cooling) -> None:
    record = wait(timeout_sec=30)
    assert (record.end_c, record.reached, machine.now_s) == (80, False, 30)
    (seen,) = too_warm([session(cooldown=record)])
    assert seen.reason is Reason.COOLDOWN_TARGET_NOT_REACHED
    assert seen.evidence == "cpu 80 °C (after 30 s) before load 0, asked for 50 °C"


@pytest.mark.parametrize("machine", [(None,)], indirect=True)
def test_without_a_sensor_nobody_waits_and_it_is_told(machine: Cooling) -> None:
    record = wait()
    assert (record.end_c, record.null_reasons["end_c"], machine.now_s) == (None, "NO_SENSOR", 0)
    (seen,) = too_warm([session(cooldown=record)])
    assert "cpu unknown (NO_SENSOR)" in seen.evidence


@pytest.mark.parametrize("machine", [(99.0,)], indirect=True)
def test_our_heat_says_nothing_of_a_server_elsewhere(machine: Cooling) -> None:
    far = Source(None, ServerLocation(base_url="http://10.0.0.5:11434"))
    assert wait(source=far).null_reasons["end_c"] == "REMOTE_SERVER"


class Cards:
    """Two cards, as the place where they are opened gives them."""

    def __init__(self, *cards: Cooling) -> None:
        self.devices = [
            SimpleNamespace(gauges=lambda card=card: self._gauges(card)) for card in cards
        ]

    @staticmethod
    def _gauges(card: Cooling) -> SimpleNamespace:
        value = card.read()
        return SimpleNamespace(temperature_c=Null("NOT_REPORTED") if value is None else value)

    def chosen(self, _: object) -> Cards:
        return self


@pytest.mark.parametrize(
    ("cards", "end_c", "reached", "waited_s"),
    [
        pytest.param(
            (Cooling(70.0, 60.0, 45.0), Cooling(49.0)), 49, True, 2, id="both have a sensor"
        ),
        pytest.param((Cooling(70.0, 60.0, 45.0), Cooling(None)), None, False, 2, id="one hides"),
        pytest.param((Cooling(70.0), Cooling(None)), 70, False, 60, id="one hides, one is warm"),
        pytest.param((Cooling(None), Cooling(None)), None, False, 0, id="both hide"),
    ],
)
def test_all_cards_are_cool_only_where_all_tell(
    cards: tuple[Cooling, Cooling],
    end_c: float | None,
    reached: bool,
    waited_s: float,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    time = Cooling()
    monkeypatch.setattr(cooldown, "time", time)
    monkeypatch.setattr(cooldown, "open_devices", lambda _: nullcontext(Cards(*cards)))
    settings = CooldownSettings(target_c=50, timeout_sec=60)
    record = cool_down(spec(cooldown=settings, provider="llama_server"), HERE)
    assert record is not None
    assert (record.end_c, record.reached, time.now_s) == (end_c, reached, waited_s)


def test_nobody_asked_nobody_waits() -> None:
    assert cool_down(spec(), HERE) is None
    assert list(too_warm([session()])) == []
