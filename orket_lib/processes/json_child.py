"""A child process that is controlled by lines of JSON, with a limit on every wait.

The child reads its settings from standard input, answers on standard output, and ends when standard
input is closed, which also happens when this process is killed. What is sent to our process group,
such as Ctrl-C, does not reach it.
"""

from __future__ import annotations

import json
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import IO, Any

from orket_lib.processes.process_end import End, own_group, wait_for_end
from orket_lib.vocabulary.failures import Ending

# After SIGKILL. A process that hangs in the kernel (a driver, a dead network disk) survives even
# that: it is left behind, and this process goes on.
KILLED_S = 5.0


def kill(process: subprocess.Popen[Any]) -> None:
    """Kill a process and collect its exit status, if there is one in time."""
    process.kill()
    with suppress(subprocess.TimeoutExpired):
        process.wait(KILLED_S)


class JsonChild:
    """A child that runs, or has run.

    Args:
        module: What it runs, as `python -m` does.
        settings: Its first line.
        stderr: Where its messages go; None means to our standard error.
        env: Its environment; None means ours.

    Attributes:
        pid: Of its process.
    """

    def __init__(
        self,
        module: str,
        settings: Mapping[str, Any],
        stderr: IO[bytes] | None = None,
        env: Mapping[str, str] | None = None,
    ) -> None:
        self._started_s = time.perf_counter()
        self._process = subprocess.Popen(
            [sys.executable, "-m", module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            env=None if env is None else dict(env),
            **own_group(),
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._stdin, self._stdout = self._process.stdin, self._process.stdout
        self.pid = self._process.pid
        self._end: End | None = None
        self._ending: Ending | None = None
        self._answers: queue.Queue[bytes] = queue.Queue()
        self._settings_sent = threading.Event()
        self._thread = threading.Thread(target=self._converse, args=(settings,), daemon=True)
        self._thread.start()

    @property
    def age_s(self) -> float:
        """Seconds since its start."""
        return time.perf_counter() - self._started_s

    def tell(self, content: Mapping[str, Any]) -> None:
        """Send another short line; nothing happens when the child has died."""
        with suppress(OSError):
            self._stdin.write(json.dumps(content).encode() + b"\n")
            self._stdin.flush()

    def answer(self, within_s: float) -> dict[str, Any] | None:
        """Return its next answer; None when it ended, or closed its output, without one.

        Raises:
            TimeoutError: Neither happened in time.
        """
        try:
            line = self._answers.get(timeout=within_s)
        except queue.Empty:
            raise TimeoutError(f"no answer within {within_s:g} s") from None
        if not line:
            self._answers.put(line)  # for the next call
            return None
        content: dict[str, Any] = json.loads(line)
        return content

    def exit_status(self, within_s: float) -> int | None:
        """Return its exit status; None when it still runs after `within_s`."""
        self._end = self._end or wait_for_end(self._process, within_s)
        return self._end.code if self._end else None

    def death(self, within_s: float) -> Ending | None:
        """Return how it ended; None when it still runs after `within_s`."""
        if self._ending is None and self.exit_status(within_s) is not None and self._end:
            self._ending = Ending(self._end.code, self.age_s, self.pid, self._end.peak_rss_mib)
        return self._ending

    def end(self, patience_s: float) -> None:
        """Close its input, which ends it; kill it when it still runs after `patience_s`."""
        if self._settings_sent.is_set():  # else it has not even read its settings, and never will
            with suppress(OSError):
                self._stdin.close()
            self.exit_status(patience_s)
        if self._process.poll() is None:
            kill(self._process)
        self._thread.join(KILLED_S)
        if not self._thread.is_alive():  # the thread reads from the pipe
            with suppress(OSError):
                self._stdin.close()
            self._stdout.close()

    def _converse(self, settings: Mapping[str, Any]) -> None:
        """Send the settings, and collect the answers until the end of its output."""
        self.tell(settings)
        self._settings_sent.set()
        for line in self._stdout:
            self._answers.put(line)
        self._answers.put(b"")


@contextmanager
def json_child(module: str, settings: Mapping[str, Any], patience_s: float) -> Iterator[JsonChild]:
    """Run a child until the context ends; see `JsonChild`.

    Args:
        module: What it runs.
        settings: Its first line.
        patience_s: How long it may take to end by itself before it is killed.
    """
    child = JsonChild(module, settings)
    try:
        yield child
    finally:
        child.end(patience_s)
