"""The jobs of a sandbox and their results, as plain records.

There are two kinds. A *program* runs once, with standard input and output. A *call job* calls one
function of a source many times, each time in a new process; returned values are kept apart from
output. A result says how the job ended and what it returned, never whether that is right: the
expected values never enter a sandbox.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from orket_lib.sandbox.file_names import check_file_names
from orket_lib.vocabulary.units import MIB

PYTHON = "python"  # as the first word of a program: the sandbox's own interpreter
MAIN = "main.py"


class Outcome(StrEnum):
    """How a program or a call ended."""

    EXITED = "exited"  # by itself; the exit status says how
    CRASHED = "crashed"  # by a signal that the sandbox did not send
    TIMEOUT = "timeout"
    CPU_LIMIT = "cpu_limit"
    MEMORY_LIMIT = "memory_limit"
    PROCESS_LIMIT = "process_limit"
    DISK_LIMIT = "disk_limit"
    OUTPUT_LIMIT = "output_limit"
    KILLED = "killed"  # the sandbox itself was killed from outside


@dataclass(frozen=True)
class Limits:
    """The limits of a program and of all that it starts; in a call job, of each call.

    Attributes:
        wall_s: Seconds since its start.
        cpu_s: CPU seconds of all its processes.
        memory_bytes: Resident memory of all its processes, with shared memory counted once. The
            address space of one process is limited to twice as much.
        processes: Processes and threads at the same time.
        open_files: Per process.
        disk_bytes: Size of the working folder, which is in memory and counts separately.
        disk_files: Files and folders in the working folder.
        output_bytes: Standard output and error together; for a call, what it returns.
    """

    wall_s: float = 10.0
    cpu_s: float = 10.0
    memory_bytes: int = 512 * MIB
    processes: int = 32
    open_files: int = 64
    disk_bytes: int = 32 * MIB
    disk_files: int = 1000
    output_bytes: int = 128 * 1024


@dataclass(frozen=True)
class Program:
    """A program to run once.

    Attributes:
        argv: The command; `PYTHON` as its first word is the sandbox's own interpreter.
        files: Contents of the working folder by name.
        stdin: Its standard input.

    Raises:
        ValueError: There is no command.
        RefusedName: A name in `files` is invalid or leads out of the folder.
    """

    argv: Sequence[str]
    files: Mapping[str, bytes] = field(default_factory=dict)
    stdin: bytes = b""
    limits: Limits = field(default_factory=Limits)

    def __post_init__(self) -> None:
        if not self.argv:
            raise ValueError("a program needs a command")
        check_file_names(self.files)

    @classmethod
    def python(
        cls,
        source: str,
        files: Mapping[str, bytes] | None = None,
        stdin: bytes = b"",
        limits: Limits | None = None,
    ) -> Program:
        """Return a Python program; `source` becomes `main.py`, next to `files`."""
        contents = {**(files or {}), MAIN: source.encode("utf-8", "surrogatepass")}
        return cls((PYTHON, MAIN), contents, stdin, limits or Limits())


@dataclass(frozen=True)
class CallJob:
    """A function to call many times.

    Attributes:
        source: Python source that defines the function.
        function: Its name.
        calls: For each call, the encoded pair (positional arguments, named arguments).
        files: Contents of the working folder, which the source can import and read.

    Raises:
        RefusedName: A name in `files` is invalid or leads out of the folder.
    """

    source: str
    function: str
    calls: Sequence[bytes]
    files: Mapping[str, bytes] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)

    def __post_init__(self) -> None:
        check_file_names(self.files)


@dataclass(frozen=True)
class Ending:
    """How a program or a call ended.

    Attributes:
        exit_status: None if it did not exit by itself.
        signal: Number of the signal that killed it; None if it exited.
        wall_s: Since its start, or since the start of the sandbox if that was killed.
        cpu_s: Of all its processes; None if the sandbox was killed before it could report it.
    """

    outcome: Outcome
    exit_status: int | None
    signal: int | None
    wall_s: float
    cpu_s: float | None


@dataclass(frozen=True)
class ProgramResult:
    """How a program ended, and its output, truncated to `output_bytes` in total."""

    ending: Ending
    stdout: bytes
    stderr: bytes

    @property
    def truncated(self) -> bool:
        """Whether it wrote more than was kept."""
        return self.ending.outcome is Outcome.OUTPUT_LIMIT


@dataclass(frozen=True)
class CallEnd:
    """How a call ended and the bytes that it sent back, which are untrusted."""

    ending: Ending
    answer: bytes


class Sandbox(Protocol):
    """Runs untrusted code.

    Attributes:
        name: The kind, as in a config.
        description: Kind, version and what the kind does not contain, for the run report.
    """

    @property
    def name(self) -> str: ...  # noqa: D102

    @property
    def description(self) -> str: ...  # noqa: D102

    def run(self, program: Program) -> ProgramResult:
        """Run a program until it ends or a limit ends it.

        Raises:
            SandboxError: The sandbox did not start, which is not the program's fault.
        """

    def call(self, job: CallJob) -> list[CallEnd]:
        """Run the calls of a job in order, and return how they ended: at least the first one.

        It stops early after a call that changed the working folder.

        Raises:
            SandboxError: The sandbox did not start, which is not the calls' fault.
        """
