"""Sandboxes without walls, for who asks for them by name: limits only.

`rlimits` (Linux) and `job_object` (Windows) bound time, memory and output, the latter also
the number of processes. They contain neither files nor network: the code can read what its user can
read and call whom it likes.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
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
from orket_lib.sandbox.visible_system import surroundings
from orket_lib.vocabulary.errors import SandboxError

if sys.platform == "win32":
    from orket_lib.sandbox.windows_job import Fenced
else:
    from orket_lib.sandbox.process_group import Fenced

_HERE = str(Path(__file__).resolve().parent / "inside")
_GRACE_S = 5.0


@dataclass(frozen=True)
class PlainSandbox:
    """Limits without walls; every call is a process, with a folder of its own."""

    name: str
    description: str

    def run(self, program: Program) -> ProgramResult:
        """Run a program to its end, or to ours.

        Raises:
            SandboxError: It could not be started; says nothing about the program.
        """
        first, *others = program.argv
        argv = surroundings().command(others) if first == PYTHON else [first, *others]
        with self._workplace(program.files) as place:
            return self._execute(place, {"argv": argv}, program.stdin, program.limits)

    def call(self, job: CallJob) -> list[CallEnd]:
        """Run the first call of a job, and return how it ended.

        Raises:
            SandboxError: It could not be started; says nothing about the call.
        """
        with self._workplace(job.files) as place:
            content = {
                "argv": None,
                "source": job.source,
                "function": job.function,
                "call": job.calls[0],
                "answer": str(place / "answer"),
            }
            ending = self._execute(place, content, b"", job.limits).ending
            answer = _beginning(place / "answer", job.limits.output_bytes + 1)
        if len(answer) > job.limits.output_bytes:
            ending = Ending(Outcome.OUTPUT_LIMIT, None, None, ending.wall_s, None)
        return [CallEnd(ending, answer)]

    def _execute(
        self, place: Path, job: Mapping[str, Any], stdin: bytes, limits: Limits
    ) -> ProgramResult:
        folder, spec = place / "box", place / "spec"
        content = {"folder": str(folder), "limits": asdict(limits), "parent": os.getpid()}
        spec.write_bytes(encode({**job, **content}))
        (place / "stdin").write_bytes(stdin)
        environment = {**surroundings().environment, "HOME": str(folder), "TMPDIR": str(folder)}
        begin = time.monotonic()
        with (place / "stdin").open("rb") as stream:
            command = surroundings().entrance("uncontained", _HERE, spec)
            fenced = Fenced(command, limits, environment, stream)
        return _wait(fenced, limits, begin)

    @contextmanager
    def _workplace(self, files: Mapping[str, bytes]) -> Iterator[Path]:
        """Make a folder of ours, in which the stranger's folder `box` holds some files.

        Raises:
            SandboxError: The system refused anything that a start needs.
        """
        try:
            # What the stranger made undeletable is left to the system's cleaning.
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


def _wait(fenced: Fenced, limits: Limits, begin: float) -> ProgramResult:
    capture = Capture(limits.output_bytes, fenced.end)
    stdout, stderr = (capture.read(stream) for stream in _streams(fenced.process))
    outcome, code = Outcome.EXITED, None
    try:
        code = fenced.process.wait(limits.wall_s)
    except subprocess.TimeoutExpired:
        outcome = Outcome.TIMEOUT
    wall_s = time.monotonic() - begin
    fenced.end()
    capture.join(_GRACE_S)
    if capture.overflowed:
        outcome, code = Outcome.OUTPUT_LIMIT, None
    signal = -code if code is not None and code < 0 else None
    if signal is not None:
        outcome, code = Outcome.CRASHED, None
    return ProgramResult(
        Ending(outcome, code, signal, wall_s, cpu_s=None), bytes(stdout), bytes(stderr)
    )


def _streams(process: subprocess.Popen[bytes]) -> tuple[IO[bytes], IO[bytes]]:
    assert process.stdout is not None
    assert process.stderr is not None
    return process.stdout, process.stderr


def _beginning(path: Path, most: int) -> bytes:
    try:
        with path.open("rb") as stream:
            return stream.read(most)
    except OSError:  # it never came so far
        return b""
