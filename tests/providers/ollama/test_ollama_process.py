"""The processes of an Ollama server, identified by their command lines."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from orket_lib.providers.ollama import process as ollama_process
from orket_lib.providers.ollama.process import find_runner, server_process
from orket_lib.providers.server_process import ServerProcess

pytestmark = pytest.mark.skipif(os.name == "nt", reason="its stand-ins are shell scripts")

BLOB = "/blobs/sha256-60e05f210007"
OLDER = ["ollama", "runner", "--model", BLOB, "--ctx-size", "16384", "--batch-size", "512"]
NEWER = ["llama-server", "serve", "--model", BLOB, "--port", "4", "--no-webui", "-c", "8192"]
PARENT = """
import subprocess, sys
for words in sys.argv[1:]:
    subprocess.Popen(words.split(), executable="/bin/sh")
print("ready", flush=True)
sys.stdin.read()
"""


def wait_until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.01)


@contextmanager
def running(
    folder: Path, *commands: list[str], script: str = "sleep 60"
) -> Iterator[psutil.Process]:
    """Run a process with children of these command lines, which do nothing."""
    for name in ("runner", "serve"):
        (folder / name).write_text(script, encoding="utf-8")
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, *(" ".join(words) for words in commands)],
        cwd=folder,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert parent.stdin
    assert parent.stdout
    assert parent.stdout.readline() == b"ready\n"
    family = psutil.Process(parent.pid)
    try:
        wait_until(
            lambda: [it.cmdline() for it in family.children()] == list(commands),
            "its children are what they are to be",
        )
        yield family
    finally:
        for child in family.children(recursive=True):
            child.kill()
        parent.stdin.close()
        parent.wait(timeout=10)
        parent.stdout.close()


def attached_to(process: psutil.Process | None) -> ServerProcess:
    return ServerProcess("http://127.0.0.1:9", lambda: True, lambda _: process)


@pytest.mark.parametrize(
    ("words", "n_ctx", "threads"),
    [
        pytest.param([*OLDER, "--threads", "8", "--parallel", "2"], 8192, 8, id="before 0.30"),
        pytest.param([*NEWER, "-np", "1", "-t", "6"], 8192, 6, id="since 0.30"),
        pytest.param([*NEWER, "-np", "4"], 2048, None, id="four slots"),
        pytest.param(NEWER, 8192, None, id="no slots named"),
        pytest.param(
            ["ollama", "runner", "--ollama-engine", "--model", BLOB], None, None, id="own"
        ),
        pytest.param([*NEWER, "-t", "many"], 8192, None, id="no number"),
        pytest.param([*NEWER, "-t"], 8192, None, id="no value"),
    ],
)
def test_the_process_of_a_model_tells_what_it_was_started_with(
    tmp_path: Path, words: list[str], n_ctx: int | None, threads: int | None
) -> None:
    with running(tmp_path, words) as server:
        found = find_runner(attached_to(server))
        assert found is not None
        assert (found.model, found.n_ctx, found.threads) == (BLOB, n_ctx, threads)
        assert found.alive
        found.process.kill()  # not reaped: it is dead, and still in the table
        wait_until(lambda: not found.alive, "it is dead")


def test_a_model_s_process_that_has_forked_is_one(tmp_path: Path) -> None:
    with running(tmp_path, NEWER, script="(sleep 60; true) & wait") as server:
        wait_until(
            lambda: [it.cmdline() for it in server.children(recursive=True)].count(NEWER) == 2,
            "it has forked",
        )
        found = find_runner(attached_to(server))
        assert found is not None
        assert found.process.ppid() == server.pid


def test_two_models_are_nobodys_answer(tmp_path: Path) -> None:
    with running(tmp_path, NEWER, OLDER) as server:
        assert find_runner(attached_to(server)) is None


def test_a_server_without_a_model_has_no_such_process(tmp_path: Path) -> None:
    with running(tmp_path, ["sh", "serve"]) as server:
        assert find_runner(attached_to(server)) is None
    assert find_runner(attached_to(server)) is None, "nor has one that is gone"
    assert find_runner(attached_to(None)) is None


@pytest.fixture
def unseen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the owner of the port hidden, as it is from other users."""
    monkeypatch.setattr(ollama_process, "process_at", lambda _: None)


@pytest.mark.usefixtures("unseen")
def test_a_system_service_is_found_by_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running(tmp_path, ["/usr/bin/ollama", "serve"], ["sh", "serve"]) as family:
        monkeypatch.setattr(psutil, "process_iter", family.children)
        found = server_process("http://127.0.0.1:11434")
        assert found is not None
        assert found.cmdline() == ["/usr/bin/ollama", "serve"]


@pytest.mark.usefixtures("unseen")
def test_of_two_services_neither_is_taken_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running(tmp_path, ["/usr/bin/ollama", "serve"], ["ollama", "serve"]) as family:
        monkeypatch.setattr(psutil, "process_iter", family.children)
        assert server_process("http://127.0.0.1:11434") is None


def test_a_server_on_another_machine_has_no_process_here() -> None:
    assert server_process("http://10.0.0.5:11434") is None
