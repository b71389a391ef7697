"""Runs one command within bounds: `python -m orket_lib.processes.bounded_command_child`.

It is a separate process because it must survive its parent. It reads one line of JSON settings from
standard input, runs the command, and answers with one line of JSON on standard output. It ends the
command with all its descendants when the command ends, its time is up, it writes too much, or
standard input is closed, which happens when the parent ends.

On Linux it adopts orphans, so that a descendant that left the process group is found as well.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import IO, Any

from orket_lib.processes.process_end import adopt_orphans, kill_descendants, own_group
from orket_lib.vocabulary.units import MIB

KEPT_BYTES = 128 * 1024  # of the beginning, and as much of the end
FLOOD_BYTES = 64 * MIB
_POLL_S = 0.1
_KILL_S = 5.0


class HeadAndTail:
    """The beginning and the end of a stream, and its size."""

    def __init__(self) -> None:
        self.size = 0
        self._head = bytearray()
        self._tail = bytearray()

    def add(self, data: bytes) -> None:
        """Take the next bytes."""
        self.size += len(data)
        room = KEPT_BYTES - len(self._head)
        self._head += data[:room]
        self._tail += data[room:]
        del self._tail[:-KEPT_BYTES]

    def answer(self) -> dict[str, Any]:
        """Return it as text: in one piece if nothing was dropped, else as beginning and end."""
        whole = self.size <= 2 * KEPT_BYTES
        return {
            "text": text_of(bytes(self._head + self._tail if whole else self._head)),
            "end": None if whole else text_of(bytes(self._tail)),
            "bytes": self.size,
        }


def text_of(data: bytes) -> str:
    """Return bytes as text; a BOM marks UTF-16 (PowerShell), undecodable bytes are replaced."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", errors="replace")
    return data.decode("utf-8-sig", errors="replace")


def main() -> None:
    """Run the command of the settings and answer."""
    settings = json.loads(sys.stdin.buffer.readline())
    adopt_orphans()
    answer = json.dumps(_run(settings)).encode() + b"\n"
    with contextlib.suppress(BrokenPipeError):  # the parent has ended
        while answer:
            answer = answer[os.write(1, answer) :]


def _run(settings: dict[str, Any]) -> dict[str, Any]:
    out_file = Path(settings["out_file"]) if settings["out_file"] else None
    stdout, stderr = HeadAndTail(), HeadAndTail()
    begin = time.monotonic()
    error: str | None
    try:
        process = _start(settings["argv"], settings["env"])
    except FileNotFoundError:
        error, status, seconds = "command_not_found", None, None
    except (OSError, ValueError):  # no permission, no program, a NUL in an argument
        error, status, seconds = "command_not_executable", None, None
    else:
        happened: queue.Queue[str | None] = queue.Queue()
        readers = [
            _thread(_read, stream, kept, happened)
            for stream, kept in ((process.stdout, stdout), (process.stderr, stderr))
        ]
        _thread(_wait, process, happened)
        _thread(_watch_parent, happened)
        error = _first_event(happened, begin + settings["timeout_s"], out_file)
        seconds = time.monotonic() - begin
        _end(process)
        for reader in readers:
            reader.join(_KILL_S)
        status = process.returncode if error is None else None
    return {
        "error": error,
        "exit_status": status,
        "seconds": seconds,
        "stdout": stdout.answer(),
        "stderr": stderr.answer(),
        "out_file": _content(out_file).answer(),
    }


def _start(argv: list[str], env: dict[str, str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        argv,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=env,
        **own_group(),
    )


def _first_event(
    happened: queue.Queue[str | None], deadline: float, out_file: Path | None
) -> str | None:
    """Return the error that ended the command; None when it ended by itself."""
    while (left := deadline - time.monotonic()) > 0:
        try:
            return happened.get(timeout=min(left, _POLL_S))
        except queue.Empty:
            if _size(out_file) > FLOOD_BYTES:
                return "output_limit"
    return "timeout"


def _read(stream: IO[bytes], kept: HeadAndTail, happened: queue.Queue[str | None]) -> None:
    while data := os.read(stream.fileno(), 65536):
        kept.add(data)
        if kept.size > FLOOD_BYTES:
            happened.put("output_limit")
            return  # the command blocks on the full pipe until it is killed


def _wait(process: subprocess.Popen[bytes], happened: queue.Queue[str | None]) -> None:
    if sys.platform == "linux":
        # Left unreaped, so that its group's number is not reused before the group is killed.
        with contextlib.suppress(ChildProcessError):  # killed and waited for already
            os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    else:
        process.wait()
    happened.put(None)


def _watch_parent(happened: queue.Queue[str | None]) -> None:
    os.read(0, 1)  # no data is ever sent: it returns when the other end is closed
    happened.put("parent_gone")


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill the command's group and every descendant, until none is left."""
    if sys.platform == "win32":
        kill_descendants(_KILL_S)
        return
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    kill_descendants(_KILL_S)


def _content(path: Path | None) -> HeadAndTail:
    """Return the content of a regular file; of anything else, nothing."""
    kept = HeadAndTail()
    if path and _size(path):
        with contextlib.suppress(OSError), path.open("rb") as stream:
            while kept.size <= FLOOD_BYTES and (data := stream.read(65536)):
                kept.add(data)
    return kept


def _size(path: Path | None) -> int:
    try:
        return path.stat().st_size if path and path.is_file() else 0
    except OSError:
        return 0


def _thread(target: Any, *arguments: Any) -> threading.Thread:
    thread = threading.Thread(target=target, args=arguments, daemon=True)
    thread.start()
    return thread


if __name__ == "__main__":
    main()
