"""A child process of ours that talks in lines of JSON, and that is never waited for without end.

It reads its settings from its standard input, answers on its standard output, and ends when that
input is closed, which also happens when this process is killed.
"""

from __future__ import annotations

import json
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import IO, Any

# After SIGKILL. A process that hangs in the kernel (a driver, a dead network disk) does not even
# end then: it is left behind, and this process goes on.
KILLED_S = 5.0


def kill(process: subprocess.Popen[Any]) -> None:
    """Kill a process and take its exit status, if it comes."""
    process.kill()
    with suppress(subprocess.TimeoutExpired):
        process.wait(KILLED_S)


class JsonChild:
    """A child that runs, or has run.

    Args:
        module: What it runs, as `python -m` does.
        settings: Its first line.
        stderr: Where its messages go; None is where ours go.
        env: Its environment; None is ours.
        options: Of `subprocess.Popen`.

    Attributes:
        pid: Of its process.
    """

    def __init__(
        self,
        module: str,
        settings: Mapping[str, Any],
        stderr: IO[bytes] | None = None,
        env: Mapping[str, str] | None = None,
        **options: Any,
    ) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            env=None if env is None else dict(env),
            **options,
        )
        self.pid = self._process.pid
        self._answers: queue.Queue[bytes] = queue.Queue()
        self._told = threading.Event()
        self._thread = threading.Thread(target=self._converse, args=(settings,), daemon=True)
        self._thread.start()

    def tell(self, content: Mapping[str, Any]) -> None:
        """Send it another short line; one that has died shows that elsewhere."""
        assert self._process.stdin is not None
        with suppress(OSError):
            self._process.stdin.write(json.dumps(content).encode() + b"\n")
            self._process.stdin.flush()

    def answer(self, within_s: float) -> dict[str, Any] | None:
        """Return its next answer; None when it has ended, or closed its output, without one.

        Raises:
            TimeoutError: None of that happened in time.
        """
        try:
            line = self._answers.get(timeout=within_s)
        except queue.Empty:
            raise TimeoutError(f"no answer within {within_s:g} s") from None
        if not line:
            self._answers.put(line)  # for whoever asks again
            return None
        content: dict[str, Any] = json.loads(line)
        return content

    def exit_status(self, within_s: float) -> int | None:
        """Return its exit status; None when it runs for so much longer."""
        try:
            return self._process.wait(within_s)
        except subprocess.TimeoutExpired:
            return None

    def end(self, patience_s: float) -> None:
        """Close its input, at which it ends; kill it when it doesn't within `patience_s`."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        if self._told.is_set():  # else it has not even read its settings, and never will
            with suppress(OSError):
                self._process.stdin.close()
            self.exit_status(patience_s)
        if self._process.poll() is None:
            kill(self._process)
        self._thread.join(KILLED_S)
        if not self._thread.is_alive():
            with suppress(OSError):
                self._process.stdin.close()
            self._process.stdout.close()

    def _converse(self, settings: Mapping[str, Any]) -> None:
        """Send the settings, and collect what it answers until its end."""
        assert self._process.stdout is not None
        self.tell(settings)
        self._told.set()
        for line in self._process.stdout:
            self._answers.put(line)
        self._answers.put(b"")


@contextmanager
def json_child(
    module: str, settings: Mapping[str, Any], patience_s: float, **options: Any
) -> Iterator[JsonChild]:
    """Run a child until the context ends; see `JsonChild`.

    Args:
        module: What it runs.
        settings: Its first line.
        patience_s: That it has to end by itself, before it is killed.
        options: As `JsonChild` takes them.
    """
    child = JsonChild(module, settings, **options)
    try:
        yield child
    finally:
        child.end(patience_s)
