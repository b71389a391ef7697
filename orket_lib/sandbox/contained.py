"""Starts a sandbox with walls (namespaces) and reads the reports of its supervisor.

Both kinds, bubblewrap and our own launcher, are a command that ends in the same supervisor. It gets
its job in an unnamed file, and reports on a pipe that no untrusted process holds. We hold the other
end of its standard input: when we end, it ends.
"""

from __future__ import annotations

import os
import platform
import secrets
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

from orket_lib.processes.json_child import kill
from orket_lib.sandbox.capture import Capture
from orket_lib.sandbox.inside.values import READY, encode
from orket_lib.sandbox.jobs import (
    PYTHON,
    CallEnd,
    CallJob,
    Ending,
    Limits,
    Outcome,
    Program,
    ProgramResult,
)
from orket_lib.sandbox.seccomp import call_filter
from orket_lib.sandbox.visible_system import DEVICES, FOLDER, VisibleSystem, visible_system
from orket_lib.vocabulary.errors import SandboxError

assert sys.platform == "linux"

_GRACE_S = 10.0  # how late a supervisor may report on a busy machine
_LOOK_S = 1.0
_CHUNK = 65536
_USUAL_SOCKET_BYTES = 212_992
_OVERSHOOT = 65536  # the last message, with its headers
# Beyond the user ids that any system assigns (those of systemd's containers are lower), so that
# each sandbox has a user of its own.
_FIRST_UID, _UIDS = 0x70000000, 0x0F000000


@dataclass(frozen=True)
class ContainedSandbox:
    """A sandbox of a kind with walls.

    Attributes:
        command: Returns the command that starts the sandbox, given the visible system, the limits
            and the descriptors of job and status.
    """

    name: str
    description: str
    command: Callable[[VisibleSystem, Limits, int, int], list[str]]

    def run(self, program: Program) -> ProgramResult:
        """Run a program; see `Sandbox.run`."""
        argv = list(program.argv)
        if argv[0] == PYTHON:
            argv = visible_system().command(argv[1:])
        job = {"argv": argv, "stdin": program.stdin, "files": dict(program.files)}
        served = self._serve(job, program.limits, program.limits.wall_s)
        ends = [] if served.overflowed else served.ends()
        ending = ends[0].ending if ends else served.cut_short()
        return ProgramResult(ending, served.stdout, served.stderr)

    def call(self, job: CallJob) -> list[CallEnd]:
        """Run the calls of a job; see `Sandbox.call`."""
        content = {
            "argv": None,
            "source": job.source,
            "function": job.function,
            "calls": list(job.calls),
            "files": dict(job.files),
        }
        served = self._serve(content, job.limits, job.limits.wall_s * len(job.calls))
        return served.ends() or [CallEnd(served.cut_short(), b"")]

    def _serve(self, job: Mapping[str, Any], limits: Limits, wait_s: float) -> _Served:
        """Start a sandbox for a job, wait for its end, and return its output."""
        begin = time.monotonic()
        process, status_stream = self._started(job, limits)
        with status_stream:
            capture = Capture(limits.output_bytes, lambda: _stop(process))
            try:
                assert process.stdout is not None
                assert process.stderr is not None
                stdout, stderr = capture.read(process.stdout), capture.read(process.stderr)
                deadline_s = begin + wait_s + _GRACE_S
                status, in_time = _read_status(status_stream, process, deadline_s)
            finally:  # also when we are interrupted
                _stop(process)
                capture.join(_GRACE_S)
        served = _Served(
            status=status.removeprefix(READY),
            stdout=bytes(stdout),
            stderr=bytes(stderr),
            overflowed=capture.overflowed,
            in_time=in_time,
            wall_s=time.monotonic() - begin,
        )
        if not status.startswith(READY):
            reason = served.stderr.decode(errors="replace").strip().rpartition("\n")[2]
            raise SandboxError(f"sandbox `{self.name}` did not start: {reason or 'it was killed'}")
        return served

    def _started(
        self, job: Mapping[str, Any], limits: Limits
    ) -> tuple[subprocess.Popen[bytes], IO[bytes]]:
        """Start a sandbox, and return it with the stream of its supervisor's reports.

        Raises:
            SandboxError: The system refused something that the start needs.
        """
        try:
            reading, writing = os.pipe()
            status_stream = os.fdopen(reading, "rb", buffering=0)
            try:
                return self._start(job, limits, writing), status_stream
            except OSError:
                status_stream.close()
                raise
            finally:
                os.close(writing)
        except OSError as error:
            raise SandboxError(f"sandbox `{self.name}` did not start: {error}") from error

    def _start(
        self, job: Mapping[str, Any], limits: Limits, status: int
    ) -> subprocess.Popen[bytes]:
        system = visible_system()
        spec = {
            **job,
            "folder": FOLDER,
            "limits": asdict(limits),
            "socket_bytes": _socket_bytes(),
            "uid": _FIRST_UID + secrets.randbelow(_UIDS),
            "filter": call_filter(platform.machine()),
            "parent": os.getpid(),
            "shown": list(system.shown),
            "links": dict(system.links),
            "devices": list(DEVICES),
        }
        with tempfile.TemporaryFile() as file:
            file.write(encode(spec))
            file.seek(0)
            return subprocess.Popen(
                self.command(system, limits, file.fileno(), status),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=dict(system.environment),
                cwd="/",
                pass_fds=(file.fileno(), status),
                start_new_session=True,  # Ctrl-C reaches only us, and we end it
            )


@dataclass(frozen=True)
class _Served:
    """The output of a sandbox; `status` is what its supervisor reported after `READY`."""

    status: bytes
    stdout: bytes
    stderr: bytes
    overflowed: bool
    in_time: bool
    wall_s: float

    def ends(self) -> list[CallEnd]:
        """Return the endings that the supervisor reported in full."""
        ends = []
        rest = self.status
        while b"\n" in rest:
            head, _, rest = rest.partition(b"\n")
            outcome, status, signal, wall_s, cpu_s, size = head.decode().split(" ")
            answer, rest = rest[: int(size)], rest[int(size) :]
            if len(answer) < int(size):
                break
            ending = Ending(
                outcome=Outcome(outcome),
                exit_status=None if status == "-" else int(status),
                signal=None if signal == "-" else int(signal),
                wall_s=float(wall_s),
                cpu_s=float(cpu_s),
            )
            ends.append(CallEnd(ending, answer))
        return ends

    def cut_short(self) -> Ending:
        """Return how it ended if the supervisor could not report it."""
        outcome = Outcome.KILLED if self.in_time else Outcome.TIMEOUT
        if self.overflowed:
            outcome = Outcome.OUTPUT_LIMIT
        return Ending(outcome, exit_status=None, signal=None, wall_s=self.wall_s, cpu_s=None)


def _socket_bytes() -> int:
    """Return how much data of a local socket the kernel keeps until it is read."""
    try:
        text = Path("/proc/sys/net/core/wmem_default").read_text(encoding="ascii")
        return int(text) + _OVERSHOOT
    except (OSError, ValueError):
        return _USUAL_SOCKET_BYTES + _OVERSHOOT


def _read_status(
    stream: IO[bytes], process: subprocess.Popen[bytes], deadline_s: float
) -> tuple[bytes, bool]:
    """Return what is reported until the deadline, and whether the report ended before it."""
    data = bytearray()
    poll = select.poll()
    poll.register(stream, select.POLLIN)
    while (left_s := deadline_s - time.monotonic()) > 0:
        if poll.poll(1000 * min(left_s, _LOOK_S)):
            chunk = os.read(stream.fileno(), _CHUNK)
            if not chunk:
                return bytes(data), True
            data += chunk
        elif process.poll() is not None:  # the launcher was killed
            _stop(process)
    return bytes(data), False


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End a sandbox that may have ended already."""
    # The supervisor ends itself when its standard input is closed. Killing the launcher alone would
    # not end a supervisor of another user.
    assert process.stdin is not None
    process.stdin.close()
    try:
        process.wait(_GRACE_S)
    except subprocess.TimeoutExpired:
        kill(process)
