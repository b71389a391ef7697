"""What a hostile program could get at on this machine, and detectors that tell whether it did."""

from __future__ import annotations

import contextlib
import os
import secrets
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hostile_programs import LIMITS, MODULES, PREAMBLE, SHORT_S, Hostile

from orket_lib.sandbox.jobs import Outcome

# How much later than its time limit a program may be ended on a machine with other work.
LATE_S = 20.0
DEADLINE_S = 20.0


def wait_for(condition: Callable[[], bool]) -> bool:
    """Wait until something is so, and return whether it ever was."""
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.005)
    return True


@dataclass(frozen=True)
class Seen:
    """What was seen of one run.

    Attributes:
        verdict, status: None without a sandbox; no status where it did not exit.
        peak_tasks, peak_bytes: Most threads and resident bytes of its processes at one time; only
            looked for where a detector needs them.
    """

    stdout: bytes
    stderr: bytes
    wall_s: float
    verdict: Outcome | None
    status: int | None
    signalled: bool
    peak_tasks: int
    peak_bytes: int


def processes_with(mark: str) -> Iterator[int]:
    """Yield the processes of this machine, dead or alive, whose command line holds a mark."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                if mark.encode() in (entry / "cmdline").read_bytes():
                    yield int(entry.name)


@dataclass
class Watch:
    """Looks at the processes with a mark for as long as it is entered, if a detector needs it."""

    mark: str
    seen_by: str
    peak_tasks: int = 0
    peak_bytes: int = 0
    _over: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Watch:
        self._thread = threading.Thread(target=self._look)
        if self.seen_by in ("crowd", "hoard"):
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        if self._thread.ident is not None:
            self._thread.join()

    def _look(self) -> None:
        family: set[int] = set()
        while not self._over.wait(0.01):
            family |= set(processes_with(self.mark))
            tasks, size = 0, 0
            # The dead have no command line any more, but they have a parent.
            for stat in _stats():
                fields = stat.rpartition(")")[2].split()
                pid = int(stat.split(" ", 1)[0])
                if pid in family or int(fields[1]) in family:
                    tasks += max(1, int(fields[17]))
                    size += _own_share(pid) or int(fields[21]) * os.sysconf("SC_PAGE_SIZE")
            self.peak_tasks = max(self.peak_tasks, tasks)
            self.peak_bytes = max(self.peak_bytes, size)


def _stats() -> Iterator[str]:
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                yield (entry / "stat").read_text(errors="replace")


def _own_share(pid: int) -> int:
    """Return the resident bytes of a process, shared ones in part; 0 where it hides them."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return 0


class Targets:
    """A file, a process, listeners, a variable: all reachable for a user of this machine."""

    def __init__(self, user: int | None) -> None:
        self.mark = f"mark-{secrets.token_hex(8)}"
        self.secret = f"secret-{secrets.token_hex(8)}"
        self.variable = f"variable-{secrets.token_hex(8)}"
        self.folder = Path(tempfile.mkdtemp(prefix="targets-"))
        self.folder.chmod(0o777)
        self.secret_file = self.folder / "secret.txt"
        self.secret_file.write_text(self.secret)
        self.open_file = self.folder / "open.txt"
        self.open_file.write_text("as it was")
        self.open_file.chmod(0o666)
        self.victim = subprocess.Popen(["sleep", "1000"], start_new_session=True, user=user)
        self.tcp = socket.create_server(("127.0.0.1", 0))
        self.udp = socket.socket(type=socket.SOCK_DGRAM)
        self.udp.bind(("127.0.0.1", 0))
        self.abstract = socket.socket(socket.AF_UNIX)
        self.abstract.bind(f"\0{self.mark}")
        self.abstract.listen()
        self.socket_file = socket.socket(socket.AF_UNIX)
        self.socket_file.bind(str(self.folder / "socket"))
        (self.folder / "socket").chmod(0o777)
        self.socket_file.listen()
        os.environ["ORKET_TEST_VARIABLE"] = self.variable

    def close(self) -> None:
        """Take everything down again."""
        del os.environ["ORKET_TEST_VARIABLE"]
        for listener in (self.tcp, self.udp, self.abstract, self.socket_file):
            listener.close()
        self.victim.kill()
        self.victim.wait()
        self.end_left_over()
        shutil.rmtree(self.folder)

    def source(self, program: str, outside: bool) -> str:
        """Return a hostile program that knows its targets."""
        known: dict[str, Any] = {
            "mark": self.mark,
            "outside": outside,
            "secret_file": str(self.secret_file),
            "secret_variable": self.variable,
            "open_file": str(self.open_file),
            "folder": str(self.folder),
            "repository": str(Path(__file__).parents[2] / "pyproject.toml"),
            "home": str(Path.home()),
            "pid": self.victim.pid,
            "namespaces": {
                name: str(Path(f"/proc/self/ns/{name}").readlink())
                for name in ("cgroup", "ipc", "mnt", "net", "pid", "uts")
            },
            "tcp_port": self.tcp.getsockname()[1],
            "udp_port": self.udp.getsockname()[1],
            "abstract_socket": f"\0{self.mark}",
            "socket_file": str(self.folder / "socket"),
            **vars(LIMITS),
        }
        used = [name for name in MODULES if f"{name}." in program]
        imports = [f"import {name}\n" for name in used]
        if "libc." in program:
            imports.append("import ctypes; libc = ctypes.CDLL(None, use_errno=True)\n")
        return PREAMBLE.replace("{targets}", repr(known)) + "".join(imports) + program

    def end_left_over(self) -> None:
        """Kill the processes that a program has left behind."""
        for pid in processes_with(self.mark):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def detects(self, how: str, seen: Seen) -> bool:
        """Tell whether one detector noticed something, and make it ready for the next time."""
        return bool(getattr(self, f"_{how}")(seen))

    def _mark(self, seen: Seen) -> bool:
        return self.mark.encode() in seen.stdout or self.secret.encode() in seen.stdout

    def _changed_file(self, seen: Seen) -> bool:
        same = self.open_file.exists() and self.open_file.read_text() == "as it was"
        return not same or self.open_file.stat().st_mode & 0o777 != 0o666

    def _tcp(self, seen: Seen) -> bool:
        return _came(self.tcp)

    def _udp(self, seen: Seen) -> bool:
        return bool(select.select([self.udp], [], [], 0)[0])

    def _abstract(self, seen: Seen) -> bool:
        return _came(self.abstract)

    def _socket_file(self, seen: Seen) -> bool:
        return _came(self.socket_file)

    def _victim(self, seen: Seen) -> bool:
        return self.victim.poll() is not None

    def _left_over(self, seen: Seen) -> bool:
        return any(map(_is_alive, processes_with(self.mark)))

    def _runs_on(self, seen: Seen) -> bool:
        return seen.wall_s > SHORT_S + (LATE_S if seen.verdict else 0)

    def _crash(self, seen: Seen) -> bool:
        return seen.signalled and seen.verdict is not Outcome.CRASHED

    def _crowd(self, seen: Seen) -> bool:
        # The limit and two more, by which it is noticed.
        return seen.peak_tasks > LIMITS.processes + 2

    def _hoard(self, seen: Seen) -> bool:
        return seen.peak_bytes > 2 * LIMITS.memory_bytes

    def _flood(self, seen: Seen) -> bool:
        return len(seen.stdout) + len(seen.stderr) > LIMITS.output_bytes


def _came(listener: socket.socket) -> bool:
    return bool(select.select([listener], [], [], 0)[0])


def _is_alive(pid: int) -> bool:
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


def run_outside(targets: Targets, program: Hostile) -> Seen:
    """Run a command in place of a program, for longer than a sandbox would let it run."""
    folder = targets.folder / "outside"
    folder.mkdir()
    source = program.source if program.outside is None else program.outside
    (folder / "main.py").write_text(targets.source(source, outside=True))
    out, err = folder / "stdout", folder / "stderr"
    begin = time.monotonic()
    with (
        Watch(targets.mark, program.seen_by) as watch,
        out.open("wb") as stdout,
        err.open("wb") as stderr,
    ):
        process = subprocess.Popen(
            [sys.executable, "main.py", targets.mark],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            start_new_session=True,
        )
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(2 * program.limits.wall_s)
        wall_s, signalled = time.monotonic() - begin, (process.poll() or 0) < 0
    if process.poll() is None:
        process.kill()
        process.wait()
    return Seen(
        stdout=out.read_bytes(),
        stderr=err.read_bytes(),
        wall_s=wall_s,
        verdict=None,
        status=None,
        signalled=signalled,
        peak_tasks=watch.peak_tasks,
        peak_bytes=watch.peak_bytes,
    )
