from __future__ import annotations

import threading

import pytest

from orket_lib.processes.time_limit import within


def test_what_a_call_returns_is_returned() -> None:
    assert within(10, lambda: 7) == 7
    assert within(10, lambda: None) is None


def test_what_a_call_raises_is_raised() -> None:
    def fail() -> None:
        raise KeyError("x")

    with pytest.raises(KeyError, match="x"):
        within(10, fail)


def test_a_call_that_hangs_is_left_behind() -> None:
    end = threading.Event()
    with pytest.raises(TimeoutError, match=r"no answer within 0\.05 s"):
        within(0.05, lambda: end.wait(60))
    end.set()
