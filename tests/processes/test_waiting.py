"""Waiting for a condition, with an end."""

from __future__ import annotations

import time

from orket_lib.processes.waiting import wait_until


def test_a_condition_is_asked_until_it_holds() -> None:
    answers = iter([False, False, True])
    assert wait_until(lambda: next(answers), timeout_s=5, poll_s=0.001)
    assert not list(answers)


def test_one_that_never_holds_is_given_up() -> None:
    began = time.monotonic()
    assert not wait_until(lambda: False, timeout_s=0.05, poll_s=0.01)
    assert 0.05 <= time.monotonic() - began < 2


def test_it_is_asked_once_even_without_time() -> None:
    assert wait_until(lambda: True, timeout_s=0, poll_s=1)
