"""Its presence puts this folder on the import path, so that every test finds `builders`."""

from __future__ import annotations

import signal

import psutil
import pytest

# A shell that starts us in the background has SIGINT ignored, which every child would inherit.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Return one worker more than there are cores, for the tests that wait, up to four."""
    return min(4, (psutil.cpu_count() or 1) + 1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with those that take longest, so that no worker is left with one of them at the end."""
    items.sort(key=lambda item: item.path.parent.name not in ("workflow", "traps"))
