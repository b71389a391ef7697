"""What is planted is found, and what is not there is not: on sweeps resampled from real ones."""

from __future__ import annotations

import pytest
from resampled_sweeps import SWEEPS, Flagged, Plant, flagged, spread_of_real_sweeps

pytestmark = pytest.mark.slow

FOUND = 45
FALSE = 3


def told(name: str, found: Flagged) -> Flagged:
    print(f"{name}: speed {found.speed}, adherence {found.adherence}, any {found.any} of {SWEEPS}")  # noqa: T201
    return found


@pytest.mark.parametrize("drift", [0.01, 0.02])
def test_on_a_quiet_host_a_planted_regression_is_found(drift: float) -> None:
    planted = told(f"planted, drift {drift:.0%}", flagged(Plant(1.1, 2), drift))
    unchanged = told(f"unchanged, drift {drift:.0%}", flagged(Plant(), drift))

    assert planted.speed >= FOUND
    assert planted.adherence >= FOUND
    assert unchanged.any <= FALSE


def test_on_the_machine_of_the_real_sweeps_its_noise_is_honoured() -> None:
    """It drifts by far more than 10 %, so that much is no finding there; lost tasks are."""
    assert min(spread_of_real_sweeps().values()) > 0.1
    planted = told("planted, this machine", flagged(Plant(1.1, 2), None))
    doubled = told("twice as slow, this machine", flagged(Plant(2.0), None))
    unchanged = told("unchanged, this machine", flagged(Plant(), None))

    assert planted.adherence >= FOUND
    assert doubled.speed >= FOUND
    assert unchanged.any <= FALSE
