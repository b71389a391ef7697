"""Whether a server that is not ours is still the one that was found."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from orket_lib.providers.server_process import ServerProcess, served_file
from orket_lib.vocabulary.errors import (
    Fault,
    ProviderError,
    RequestFailed,
    RequestTimedOut,
    ServerCrashed,
)

LISTENER = """
import socket, sys
server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
print(server.getsockname()[1], flush=True)
sys.stdin.read()
"""


@contextmanager
def listener(port: int = 0) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run a process that listens, and yield it with its address."""
    process = subprocess.Popen(
        [sys.executable, "-c", LISTENER, str(port)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin
    assert process.stdout
    try:
        yield process, f"http://127.0.0.1:{process.stdout.readline().strip()}"
    finally:
        process.stdin.close()
        process.wait(timeout=20)
        process.stdout.close()


@pytest.mark.skipif(os.name == "nt", reason="no time there tells that a file was renamed")
def test_an_older_file_that_was_renamed_to_it_is_not_what_is_served(tmp_path: Path) -> None:
    other = tmp_path / "other.gguf"
    other.write_bytes(b"other")
    os.utime(other, (0, 0))
    (tmp_path / "m.gguf").write_bytes(b"served")
    with listener() as (process, _):
        assert served_file(str(Path(__file__)), process.pid) == Path(__file__)
        other.replace(tmp_path / "m.gguf")
        assert served_file(str(tmp_path / "m.gguf"), process.pid) is None
        assert served_file(str(tmp_path / "m.gguf"), None) is None


def test_the_process_is_found_by_its_address_and_known_as_long_as_it_lives() -> None:
    with listener() as (process, url):
        found = ServerProcess(url, lambda: True)
        assert found.pid == process.pid
        assert found.replaced() is None


def test_a_server_that_was_started_again_is_another_one() -> None:
    with listener() as (first, url):
        found = ServerProcess(url, lambda: True)
        name = psutil.Process(first.pid).name()
    with listener(int(url.rpartition(":")[2])) as (second, _):
        seen = found.replaced()
        assert seen == (
            f"process {first.pid} ({name}) ended; process {second.pid} ({name}) listens at {url}"
        )
        assert found.pid == second.pid, "its work is the server's from now on"
        assert found.replaced() is None, "reported once"
    gone = f"process {second.pid} ({name}) ended; no visible process listens at {url}"
    assert found.replaced() == gone


def test_a_server_of_another_machine_has_no_process_and_is_never_replaced() -> None:
    found = ServerProcess("http://192.0.2.7:8000", lambda: True)
    assert (found.pid, found.replaced()) == (None, None)


@pytest.mark.parametrize("fault", [Fault.RESET, Fault.REFUSED, Fault.CUT_STREAM])
def test_a_request_that_ended_with_its_server_is_a_crash(fault: Fault) -> None:
    with listener() as (process, url):
        found = ServerProcess(url, lambda: True)
        alive = RequestFailed("the stream was cut", fault)
        assert found.explained(alive) is alive
    seen = found.explained(RequestFailed("the stream was cut", fault))
    assert isinstance(seen, ServerCrashed)
    assert str(seen) == f"the server, process {process.pid}, ended (the stream was cut)"


def test_without_a_process_to_look_at_a_server_that_is_silent_is_gone() -> None:
    url = "http://192.0.2.7:8000"
    error = RequestFailed("ConnectError: refused", Fault.REFUSED)
    assert ServerProcess(url, lambda: True).explained(error) is error
    seen = ServerProcess(url, lambda: False).explained(error)
    assert isinstance(seen, ServerCrashed)
    assert url in str(seen)


@pytest.mark.parametrize(
    "error",
    [
        RequestFailed("HTTP 400", Fault.REJECTED),
        RequestFailed("HTTP 500", Fault.SERVER_ERROR),
        RequestFailed("nothing of the server's"),
        RequestTimedOut("slow"),
    ],
    ids=str,
)
def test_a_server_that_said_something_is_not_asked_whether_it_lives(error: ProviderError) -> None:
    assert ServerProcess("http://192.0.2.7:8000", lambda: False).explained(error) is error
