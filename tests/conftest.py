"""Its presence puts this folder on the import path, so that every test finds `builders`."""

from __future__ import annotations

import gc
import os
import signal
import sys
from itertools import count
from pathlib import Path

import psutil
import pytest
from hypothesis import settings

from orket_lib.processes import device_lock

_NUMBERS = count()

# The same examples in every run; a loaded machine must not fail a property for being slow.
settings.register_profile("suite", derandomize=True, deadline=None, max_examples=30)
settings.load_profile("suite")

# Else every child of a test compiles all of the package again, a third of what the tests cost.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# What is collected stays: looking through it for garbage costs more than it brings.
gc.disable()

# A shell that starts us in the background has SIGINT ignored, which every child would inherit.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def own_locks(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep tests and real measurements on this machine out of each other's way."""
    folder = tmp_path_factory.getbasetemp() / f"locks-{next(_NUMBERS)}"

    def made() -> Path:  # most tests take no lock
        folder.mkdir(exist_ok=True)
        return folder

    monkeypatch.setattr(device_lock, "_machine_folder", made)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Return one worker more than there are cores, for the tests that wait, up to four."""
    return min(4, (psutil.cpu_count() or 1) + 1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with those that take longest, so that no worker is left with one of them at the end.

    Those that other work on the machine may disturb are tried again.
    """
    items.sort(key=lambda item: item.path.parent.name not in ("workflow", "traps"))
    for item in items:
        if item.get_closest_marker("alone") or item.get_closest_marker("timed"):
            item.add_marker(pytest.mark.flaky(reruns=2))


def pytest_collection_finish() -> None:
    """Look for garbage among what tests make only."""
    gc.freeze()
    gc.enable()
