"""Closed sets of words that artifacts use, each with its meaning."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum


class Lane(StrEnum):
    """What the numbers of a sweep are good for."""

    LAB = "lab"  # physics count: timing and host reasons pollute
    CI = "ci"  # deterministic work only: they are recorded and shown, and don't pollute


def weakest(lanes: Iterable[Lane]) -> Lane:
    """Return the lane that claims least: ci where one of them is ci."""
    return Lane.CI if Lane.CI in set(lanes) else Lane.LAB


class VramProfile(StrEnum):
    """The operator's label for how much of the memory a sweep may use."""

    SAFE = "safe"
    BALANCED = "balanced"
    STRESS = "stress"


class VramGuard(StrEnum):
    """What the preflight does about a model that may take more than its profile allows."""

    WARN = "warn"
    REFUSE = "refuse"


class RunStatus(StrEnum):
    """How the measurement of one (model, quant) ended."""

    MEASURED = "measured"
    LOAD_FAILED = "load_failed"
    CRASHED = "crashed"
    OUT_OF_MEMORY = "out_of_memory"
    INCOMPLETE = "incomplete"
    NOT_RUN = "not_run"


class Outcome(StrEnum):
    """How one task ended, once."""

    PASS = "pass"
    FAIL = "fail"
    ERROR = "error"
    TIMEOUT = "timeout"


class Quality(StrEnum):
    """Whether something disturbed a measurement."""

    CLEAN = "CLEAN"
    POLLUTED = "POLLUTED"


class TokenStatus(StrEnum):
    """Which of token counts and times a server gave."""

    OK = "OK"
    NO_COUNTS = "TOKEN_COUNT_UNAVAILABLE"
    NO_TIMES = "TIMING_UNAVAILABLE"
    NOTHING = "TOKEN_AND_TIMING_UNAVAILABLE"


class SidecarStatus(StrEnum):
    """What came of the hardware probe beside a measurement."""

    OK = "OK"
    OPTIONAL_FIELD_MISSING = "OPTIONAL_FIELD_MISSING"
    NOT_APPLICABLE = "NOT_APPLICABLE"
    REQUIRED_FIELD_MISSING = "REQUIRED_FIELD_MISSING"
    PARSE_ERROR = "PARSE_ERROR"
