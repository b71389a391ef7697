"""A process is known by its number and its start, whatever the clock says."""

from __future__ import annotations

import os
import subprocess
import sys

import psutil
import pytest

from orket_lib.processes.process_end import is_alive, started_at


def test_another_process_of_the_same_number_is_another_one() -> None:
    began = started_at(os.getpid())
    assert is_alive(os.getpid(), began)
    assert not is_alive(os.getpid(), began - 1)


def test_a_process_that_ended_is_not_alive() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        began = started_at(process.pid)
    assert not is_alive(process.pid, began)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has a start that no clock changes")
def test_a_clock_that_is_set_ends_no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    began = started_at(os.getpid())
    before = psutil.Process().create_time()
    monkeypatch.setattr("psutil._pslinux.boot_time", lambda: 0.0)  # what a set clock changes
    assert psutil.Process().create_time() != before
    assert is_alive(os.getpid(), began)
