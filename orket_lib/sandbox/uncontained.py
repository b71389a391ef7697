"""Sandboxes without walls, used only if a config names them.

`rlimits` (Linux) and `job_object` (Windows) limit time, memory and output, the latter also the
number of processes. They isolate neither files nor network: the code can read what its user can
read and connect anywhere.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

from orket_lib.sandbox.capture import Capture
from orket_lib.sandbox.inside.values import encode
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
from orket_lib.sandbox.visible_system import visible_system
from orket_lib.vocabulary.errors import SandboxError

if sys.platform == "win32":
    from orket_lib.sandbox.windows_job import LimitedProcess
else:
    import signal

    from orket_lib.processes.json_child import kill

    class LimitedProcess:
        """A running command that sets its own limits, in a process group; its output is unread."""

        def __init__(
            self,
            command: list[str],
            limits: Limits,
            environment: Mapping[str, str],
            stdin: IO[bytes],
        ) -> None:
            self.process = subprocess.Popen(
                command,
                stdin=stdin,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=environment,
                start_new_session=True,
            )

        def end(self) -> None:
            """Kill the group; a process that has left it survives, so this is not isolation."""
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)
            kill(self.process)


_HERE = str(Path(__file__).resolve().parent / "inside")
_GRACE_S = 5.0


@dataclass(frozen=True)
class UncontainedSandbox:
    """Limits without walls; each call is a process with its own folder."""

    name: str
    description: str

    def run(self, program: Program) -> ProgramResult:
        """Run a program; see `Sandbox.run`."""
        first, *others = program.argv
        argv = visible_system().command(others) if first == PYTHON else [first, *others]
        with self._folder(program.files) as root:
            return self._execute(root, {"argv": argv}, program.stdin, program.limits)

    def call(self, job: CallJob) -> list[CallEnd]:
        """Run the first call of a job, and return how it ended; see `Sandbox.call`."""
        with self._folder(job.files) as root:
            content = {
                "argv": None,
                "source": job.source,
                "function": job.function,
                "call": job.calls[0],
                "answer": str(root / "answer"),
            }
            ending = self._execute(root, content, b"", job.limits).ending
            answer = _beginning(root / "answer", job.limits.output_bytes + 1)
        if len(answer) > job.limits.output_bytes:
            ending = Ending(Outcome.OUTPUT_LIMIT, None, None, ending.wall_s, None)
        return [CallEnd(ending, answer)]

    def _execute(
        self, root: Path, job: Mapping[str, Any], stdin: bytes, limits: Limits
    ) -> ProgramResult:
        folder, spec = root / "box", root / "spec"
        content = {"folder": str(folder), "limits": asdict(limits), "parent": os.getpid()}
        spec.write_bytes(encode({**job, **content}))
        (root / "stdin").write_bytes(stdin)
        environment = {**visible_system().environment, "HOME": str(folder), "TMPDIR": str(folder)}
        begin = time.monotonic()
        with (root / "stdin").open("rb") as stream:
            command = visible_system().module_command("uncontained", _HERE, spec)
            limited = LimitedProcess(command, limits, environment, stream)
        return _wait(limited, limits, begin)

    @contextmanager
    def _folder(self, files: Mapping[str, bytes]) -> Iterator[Path]:
        """Create a temporary folder with the working folder `box`, which holds `files`.

        Raises:
            SandboxError: The system refused something that the start needs.
        """
        try:
            # Files that untrusted code made undeletable are left to the system's cleanup.
            with tempfile.TemporaryDirectory(prefix="orket-", ignore_cleanup_errors=True) as name:
                folder = Path(name, "box")
                folder.mkdir()
                for file, content in files.items():
                    path = folder / file
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_bytes(content)
                yield Path(name)
        except OSError as error:
            raise SandboxError(f"sandbox `{self.name}` did not start: {error}") from error


def _wait(limited: LimitedProcess, limits: Limits, begin: float) -> ProgramResult:
    process = limited.process
    assert process.stdout is not None
    assert process.stderr is not None
    capture = Capture(limits.output_bytes, limited.end)
    stdout, stderr = capture.read(process.stdout), capture.read(process.stderr)
    outcome, code = Outcome.EXITED, None
    try:
        code = process.wait(limits.wall_s)
    except subprocess.TimeoutExpired:
        outcome = Outcome.TIMEOUT
    wall_s = time.monotonic() - begin
    limited.end()
    capture.join(_GRACE_S)
    if capture.overflowed:
        outcome, code = Outcome.OUTPUT_LIMIT, None
    signal = -code if code is not None and code < 0 else None
    if signal is not None:
        outcome, code = Outcome.CRASHED, None
    return ProgramResult(
        Ending(outcome, code, signal, wall_s, cpu_s=None), bytes(stdout), bytes(stderr)
    )


def _beginning(path: Path, most: int) -> bytes:
    try:
        with path.open("rb") as stream:
            return stream.read(most)
    except OSError:  # it ended before it wrote an answer
        return b""
