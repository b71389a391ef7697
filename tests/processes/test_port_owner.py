from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from orket_lib.processes.port_owner import _topmost, listeners, listening_pid

_LISTEN = """
import os, socket, sys
port = int(sys.argv[2]) if "shared" in sys.argv else 0
server = socket.create_server(("127.0.0.1", port), reuse_port="shared" in sys.argv)
if "worker" in sys.argv and os.fork() == 0:
    sys.stdin.read()
    os._exit(0)
print(server.getsockname()[1], flush=True)
sys.stdin.read()
"""


@contextmanager
def listener(*arguments: str, program: str = sys.executable) -> Iterator[tuple[int, str]]:
    """Run a process that listens on a free port; yields its pid and its address."""
    child = subprocess.Popen(
        [program, "-c", _LISTEN, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdin is not None
    assert child.stdout is not None
    try:
        yield child.pid, f"http://127.0.0.1:{int(child.stdout.readline())}"
    finally:
        child.stdin.close()
        child.wait(timeout=10)
        child.stdout.close()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_the_process_behind_an_address_is_found(host: str) -> None:
    with listener() as (pid, address):
        assert listening_pid(address.replace("127.0.0.1", host)) == pid


def test_all_addresses_of_this_machine_are_one_of_them() -> None:
    with socket.create_server(("0.0.0.0", 0)) as server:
        assert listening_pid(f"http://127.0.0.1:{server.getsockname()[1]}") == os.getpid()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="shares a socket by forking")
def test_of_a_server_and_its_workers_it_is_the_server() -> None:
    with listener("worker") as (pid, address):
        assert listening_pid(address) == pid
        (worker,) = psutil.Process(pid).children()
        assert _topmost(worker.pid, address) == pid


@pytest.mark.skipif(not hasattr(socket, "SO_REUSEPORT"), reason="a port has one socket here")
def test_of_strangers_on_one_port_none_is_the_server() -> None:
    with listener("shared", "0") as (one, address):
        port = address.rpartition(":")[2]
        assert listening_pid(address) == one
        with listener("shared", port) as (other, _):
            assert listeners(address) == {one, other}
            assert listening_pid(address) is None


def test_nobody_and_a_client_are_no_server() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"http://127.0.0.1:{server.getsockname()[1]}"
        with socket.create_connection(server.getsockname()) as client:
            assert listening_pid(f"http://127.0.0.1:{client.getsockname()[1]}") is None
    assert listening_pid(address) is None


def test_another_machines_server_is_not_looked_for_here() -> None:
    with socket.create_server(("0.0.0.0", 0)) as server:
        assert listening_pid(f"http://192.0.2.7:{server.getsockname()[1]}") is None


@pytest.mark.skipif(sys.platform != "linux", reason="copies an interpreter, as Linux lets one do")
def test_a_relay_is_not_the_server_that_it_leads_to(tmp_path: Path) -> None:
    base = Path(os.path.realpath(sys.executable))
    relay = tmp_path / "docker-proxy"
    shutil.copy(base, relay)
    with listener(program=str(relay)) as (pid, address):
        assert listeners(address) == {pid}
        assert listening_pid(address) is None
