"""The process between us and a server that we start; run with `python -m`.

The server is the user's binary, or a script that starts the real one, and would outlive us. So this
supervisor starts it, reports its pid, and ends it with all that it started when the pipe from us is
closed, which also happens when we are killed. When the supervisor itself is killed, the kernel
kills the server (on Linux), and we kill what a script started (`supervised_server`). On Windows a
supervisor that is terminated leaves its server running, and you have to end it by hand.

Supervisor and server each get a session of their own: what is sent to our process group, such as
Ctrl-C or a kill, reaches us alone. A server that obeyed it as well would look as if it had crashed,
and a supervisor that died of it could not end the server.

Reads one line of JSON, {"command": [...], "cpus": [...]}, from standard input; writes {"pid": N}
once the server runs, or {"error": "..."}; and {"exit": CODE, "peak_rss_mib": N} when it has ended.
The server's own messages go to our standard error.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from typing import Any

from orket_lib.processes.parent_death import die_with_parent, wait_for_end_of
from orket_lib.processes.process_end import adopt_orphans, kill_descendants, wait_for_end

STOP_TIMEOUT_S = 5.0
_KILL_S = 5.0


def main() -> None:
    """Run the server until the parent or the server ends."""
    parent = os.getppid()
    server: subprocess.Popen[bytes] | None = None

    def orphaned() -> bool:
        return os.getppid() != parent

    def on_signal(*_: object) -> None:
        if server and orphaned():
            _kill(server)

    # Handled, not ignored: the server would inherit SIG_IGN.
    for name in ("SIGINT", "SIGHUP", "SIGTERM", "SIGQUIT"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), on_signal)
    # Not by the pipe alone: a process that the parent forked may still hold that.
    die_with_parent(signal.SIGTERM)
    adopt_orphans()
    requests = sys.stdin.buffer
    settings = json.loads(requests.readline())
    try:
        server = _start(settings)
    except OSError as error:
        _answer({"error": f"{settings['command'][0]}: {error.strerror}"})
        return
    _answer({"pid": server.pid})

    def end_it() -> None:
        wait_for_end_of(requests)
        if not orphaned():  # if we were, an orderly end would help no one
            _signal(server, signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                server.wait(timeout=STOP_TIMEOUT_S)
        _kill(server)

    threading.Thread(target=end_it, daemon=True).start()
    ended = wait_for_end(server)
    kill_descendants(_KILL_S)  # of a script that has ended
    if ended is not None:
        _answer({"exit": ended.code, "peak_rss_mib": ended.peak_rss_mib})
    os._exit(0)  # the thread may still be at its pipe


def _start(settings: dict[str, Any]) -> subprocess.Popen[bytes]:
    if settings["cpus"]:
        import psutil

        psutil.Process().cpu_affinity(settings["cpus"])  # inherited by the server
    return subprocess.Popen(
        settings["command"],
        stdin=subprocess.DEVNULL,
        stdout=sys.stderr,
        stderr=sys.stderr,
        start_new_session=True,
        preexec_fn=die_with_parent if sys.platform == "linux" else None,
        creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
    )


def _kill(server: subprocess.Popen[bytes]) -> None:
    """Kill the server, and the real one if it is only a script around that."""
    _signal(server, getattr(signal, "SIGKILL", signal.SIGTERM))


def _signal(server: subprocess.Popen[bytes], number: signal.Signals) -> None:
    if sys.platform == "win32":
        server.terminate()
        return
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(server.pid, number)  # it leads its own session


def _answer(content: dict[str, Any]) -> None:
    with suppress(OSError):  # the parent has ended
        print(json.dumps(content), flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
