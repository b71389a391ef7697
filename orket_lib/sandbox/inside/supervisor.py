"""PID 1 of a sandbox: starts the untrusted processes, counts what they use, and ends them.

As the first process of its PID namespace, it can't be killed or stopped from inside, it inherits
every orphan, and when it ends the kernel ends all others: no process can be left behind. It ends
itself when the other end of its standard input is closed, which happens when the process that
started the sandbox ends for any reason.

To the status channel, which no other process holds, it writes `ready`, and then for each program or
call one line (outcome, exit status, signal, seconds, CPU seconds, size of the answer) and the raw
bytes of the answer.
"""

from __future__ import annotations

import errno
import os
import select
import sys

from orket_lib.sandbox.inside import folder, kernel, step, usage
from orket_lib.sandbox.inside.values import READY

assert sys.platform == "linux"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn

_PERIOD_MS = 10
_CHUNK = 65536
_OVERFLOW_UID = 65534
_STDIN = 0
_SIGKILL = 9


def serve(spec: dict[str, Any], status: int) -> NoReturn:
    """Drop all rights, run the job of a spec, report, and end.

    Raises:
        OSError: A right could not be dropped, so nothing was started.
    """
    _lock_down(spec)
    try:
        stdin = folder.readable(spec["folder"], spec["stdin"]) if spec["argv"] else -1
        folder.write_files(spec["folder"], spec["files"])
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        _send(status, READY + b"disk_limit - - 0 0 0\n")  # the job's files exceed the limit
        os._exit(0)
    _send(status, READY)
    if spec["argv"]:
        _serve_program(spec, stdin, status)
    else:
        _serve_calls(spec, status)
    os._exit(0)


def _serve_program(spec: dict[str, Any], stdin: int, status: int) -> None:
    pid = os.fork()
    if pid == 0:
        step.start_program(spec, stdin)
    _send(status, _watch(pid, os.open("/dev/null", os.O_RDONLY), spec))  # a program has no answer


def _serve_calls(spec: dict[str, Any], status: int) -> None:
    before = folder.state(spec["folder"], spec["files"])
    for call in spec["calls"]:
        reading, writing = os.pipe()
        os.set_blocking(reading, False)
        pid = os.fork()
        if pid == 0:
            step.start_call(spec, call, writing)
        os.close(writing)
        _send(status, _watch(pid, reading, spec))
        os.close(reading)
        if folder.state(spec["folder"], spec["files"]) != before:
            return  # the next call would find a changed folder


def _lock_down(spec: dict[str, Any]) -> None:
    if os.geteuid() == 0:
        try:
            _become(spec["uid"], spec["folder"])
        except OSError:  # a container that maps few user ids
            _become(_OVERFLOW_UID, spec["folder"])
    kernel.give_up_rights()
    kernel.filter_calls(spec["filter"])
    kernel.hide_memory()
    kernel.reset_signals()
    kernel.die_with_parent()


def _become(uid: int, working_folder: str) -> None:
    os.chown(working_folder, uid, uid)
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)


def _watch(pid: int, channel: int, spec: dict[str, Any]) -> bytes:
    """Wait until a process ends or a limit is reached, end everything, and return the report."""
    used = usage.Usage()
    answer = bytearray()
    ended = kernel.pidfd_open(pid)
    poll = select.poll()
    poll.register(ended, select.POLLIN)
    poll.register(channel, select.POLLIN)
    poll.register(_STDIN, 0)
    outcome = ""
    while not outcome:
        events = [descriptor for descriptor, _ in poll.poll(_PERIOD_MS)]
        if _STDIN in events:  # our parent has ended
            os._exit(0)
        if channel in events and not _read(channel, answer):
            poll.unregister(channel)
        if ended in events:
            break
        outcome = used.exceeded(spec) or _too_long(answer, spec)
    if not outcome and folder.is_full(spec["folder"], spec["limits"]["disk_files"]):
        outcome = "disk_limit"
    wall_s, code = used.wall_s(), _end_all(pid)
    os.close(ended)
    while not _too_long(answer, spec) and _read(channel, answer):
        pass  # all writers have ended, so this terminates
    outcome = outcome or _too_long(answer, spec)
    how = f"{outcome} - -" if outcome else _exit_of(code)
    head = f"{how} {wall_s:.6f} {used.ended_cpu_s():.6f} {len(answer)}\n"
    return head.encode() + answer


def _read(channel: int, answer: bytearray) -> bytes:
    """Append the available data and return it; empty at the end, or if there is none."""
    try:
        data = os.read(channel, _CHUNK)
    except BlockingIOError:  # neither an end nor a writer: see `drop_lost_descriptors`
        return b""
    answer += data
    return data


def _too_long(answer: bytearray, spec: dict[str, Any]) -> str:
    return "output_limit" if len(answer) > spec["limits"]["output_bytes"] else ""


def _exit_of(code: int) -> str:
    if os.WIFEXITED(code):
        return f"exited {os.WEXITSTATUS(code)} -"
    return f"crashed - {os.WTERMSIG(code)}"


def _end_all(pid: int) -> int:
    """Kill every process but this one, wait for all, and return the wait status of `pid`."""
    code = 0
    while True:
        _kill_others()
        try:
            done, status = os.waitpid(-1, 0)
        except ChildProcessError:
            kernel.drop_lost_descriptors()
            return code
        if done == pid:
            code = status


def _kill_others() -> None:
    try:
        os.kill(-1, _SIGKILL)  # all but PID 1, atomically: a fork can't escape
    except ProcessLookupError:
        return


def _send(status: int, data: bytes) -> None:
    while data:
        data = data[os.write(status, data) :]
