"""What a process wrote is all there, whether its streams have an end or not."""

from __future__ import annotations

import os
import sys
import threading

import pytest

from orket_lib.sandbox.capture import Capture


@pytest.mark.skipif(sys.platform == "win32", reason="there, a pipe that has no end is waited for")
def test_a_stream_without_an_end_is_read_as_far_as_it_goes() -> None:
    before = threading.active_count()
    reading, writing = os.pipe()
    capture = Capture(100, lambda: None)
    kept = capture.read(os.fdopen(reading, "rb", buffering=0))
    os.write(writing, b"said")
    capture.join(20.0)
    assert bytes(kept) == b"said"
    assert not capture.overflowed
    assert threading.active_count() == before
    with pytest.raises(BrokenPipeError):
        os.write(writing, b"too late")
    os.close(writing)


def test_more_than_is_kept_ends_the_writer() -> None:
    reading, writing = os.pipe()
    capture = Capture(3, lambda: os.close(writing))
    kept = capture.read(os.fdopen(reading, "rb", buffering=0))
    os.write(writing, b"said")
    capture.join(20.0)
    assert bytes(kept) == b"sai"
    assert capture.overflowed
