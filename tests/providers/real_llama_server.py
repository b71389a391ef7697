"""A real `llama-server` that is not ours: started by hand, as its users do."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

LLAMA_SERVER = "ORKET_LLAMA_SERVER"  # names the binary
_DEADLINE_S = 60.0


@contextmanager
def llama_server_of_others(
    model: Path, folder: Path, *arguments: str, address: str | None = None
) -> Iterator[str]:
    """Run a server, on a free port unless an address is given; yields its address.

    A folder makes it a router over the models in it.
    """
    address = address or unused_address()
    port = address.rpartition(":")[2]
    what = "--models-dir" if model.is_dir() else "--model"
    command = [os.environ[LLAMA_SERVER], what, str(model), "--port", port]
    command += ["--threads", "1", "--parallel", "1", "--metrics", "--slots", *arguments]
    with (folder / "of_others.log").open("wb") as log:
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        _wait_until_loaded(address, child)
        yield address
    finally:
        child.kill()
        child.wait()


def unused_address() -> str:
    """Return an address of this machine without a listener."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return f"http://127.0.0.1:{probe.getsockname()[1]}"


def _wait_until_loaded(address: str, child: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _DEADLINE_S
    with httpx.Client(trust_env=False) as client:
        while time.monotonic() < deadline:
            assert child.poll() is None, f"llama-server ended with {child.returncode}"
            try:
                if client.get(f"{address}/health").status_code == httpx.codes.OK:
                    return
            except httpx.HTTPError:
                time.sleep(0.02)
    raise AssertionError(f"llama-server has not loaded within {_DEADLINE_S:g} s")
