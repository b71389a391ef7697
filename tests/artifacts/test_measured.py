from __future__ import annotations

import math
from typing import Any

import pytest
from builders import metrics, run
from pydantic import ValidationError

from orket_lib.artifacts.base import Count, Measured, Reading
from orket_lib.artifacts.views.run_report import Observation
from orket_lib.vocabulary.nulls import Null
from orket_lib.vocabulary.reasons import Reason, Severity


class Sample(Measured):
    name: str
    speed: Reading
    tokens: Count
    label: str | None = None


class Grown(Sample):
    heat: Reading = None


def test_a_null_says_why() -> None:
    sample = Sample.of(name="a", speed=Null("NO_SENSOR"), tokens=3)
    assert sample.speed is None
    assert sample.null_reasons == {"speed": "NO_SENSOR"}
    assert sample.reading("speed") == Null("NO_SENSOR")
    assert sample.reading("tokens") == 3.0


def test_readings_are_the_measured_numbers_and_no_other_field() -> None:
    assert Sample.readings() == ("speed", "tokens")


@pytest.mark.parametrize(
    "values",
    [
        pytest.param({"speed": None, "tokens": 1}, id="null without a reason"),
        pytest.param(
            {"speed": 1.0, "tokens": 1, "null_reasons": {"speed": "X"}}, id="reason without a null"
        ),
        pytest.param(
            {"speed": None, "tokens": 1, "null_reasons": {"tokens": "X"}}, id="reason elsewhere"
        ),
        pytest.param(
            {"speed": 1.0, "tokens": 1, "null_reasons": {"label": "X"}}, id="not a reading"
        ),
    ],
)
def test_a_null_and_its_reason_come_together(values: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="without a"):
        Sample.model_validate({"name": "a", **values})


def test_a_null_for_a_field_that_is_no_reading_is_refused() -> None:
    with pytest.raises(ValidationError):
        Sample.of(name="a", speed=1.0, tokens=1, label=Null("NO_LABEL"))


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_reading_is_a_finite_number(value: float) -> None:
    with pytest.raises(ValidationError, match="finite"):
        Sample.of(name="a", speed=value, tokens=1)


def test_zero_is_a_number_and_not_a_null() -> None:
    sample = Sample.of(name="a", speed=0.0, tokens=0)
    assert (sample.reading("speed"), sample.reading("tokens")) == (0.0, 0.0)


def test_a_record_survives_json() -> None:
    row = metrics(peak_memory_rss=Null("REMOTE_SERVER"))
    assert type(row).model_validate(row.model_dump(mode="json")) == row
    result = run()
    assert type(result).model_validate(result.model_dump(mode="json")) == result


def test_a_field_of_a_newer_minor_version_is_ignored() -> None:
    assert Sample.model_validate({"name": "a", "speed": 1, "tokens": 1, "later": True}).speed == 1


def test_a_reading_that_is_newer_than_a_file_is_null_in_it_and_says_so() -> None:
    old = Sample.of(name="a", speed=Null("NO_SENSOR"), tokens=1).model_dump(mode="json")
    read = Grown.model_validate(old)
    assert read.heat is None
    assert read.null_reasons == {"speed": "NO_SENSOR", "heat": "OLDER_FILE"}
    assert Grown.model_validate(read.model_dump(mode="json")) == read
    assert Grown.model_validate(old | {"heat": 5.0}).heat == 5.0
    with pytest.raises(ValidationError, match="null_reasons"):
        Grown.model_validate(old | {"null_reasons": []})


def test_whoever_makes_a_record_names_every_reading_also_the_newer_ones() -> None:
    with pytest.raises(ValidationError, match="null without a reason"):
        Grown.of(name="a", speed=1.0, tokens=1)
    assert Grown.of(name="a", speed=1.0, tokens=1, heat=Null("NO_SENSOR")).heat is None


def test_a_record_can_not_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Sample.of(name="a", speed=1.0, tokens=1).speed = 2.0  # type: ignore[misc]


def test_an_observation_has_the_severity_of_the_table() -> None:
    seen = Observation.of(Reason.SW_POWER_CAP, "cap at 300 W")
    assert seen.severity is Severity.NOTE
