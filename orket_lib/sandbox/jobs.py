"""What is asked of a sandbox and what it answers: plain records, no effects.

Two kinds of work. A *program* runs once with standard input and output. A *call job* calls one
function of a source many times, every call in a process of its own; what a call returned travels
apart from its output. In both, the answer says how it ended and what it returned, never whether it
was right: that is for whoever knows the expected values, which never enter a sandbox.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from orket_lib.sandbox.file_names import check_file_names

_MIB = 1024**2

PYTHON = "python"  # as the first word of a program: the sandbox's own interpreter
MAIN = "main.py"


class Outcome(StrEnum):
    """How a program or a call came to its end."""

    EXITED = "exited"  # by itself; the exit status says how
    CRASHED = "crashed"  # by a signal that was not the sandbox's
    TIMEOUT = "timeout"
    CPU_LIMIT = "cpu_limit"
    MEMORY_LIMIT = "memory_limit"
    PROCESS_LIMIT = "process_limit"
    DISK_LIMIT = "disk_limit"
    OUTPUT_LIMIT = "output_limit"
    KILLED = "killed"  # the sandbox itself was killed, by the system or by a person


@dataclass(frozen=True)
class Limits:
    """What a program may use, with everything that it starts; for a call job, each call.

    Attributes:
        wall_s: Seconds from its start.
        cpu_s: Seconds of CPU time of all its processes.
        memory_bytes: Resident memory of all its processes, where what they share counts once; one
            alone may ask for twice as much address space, and is refused more.
        processes: Processes and threads at one time.
        open_files: Per process.
        disk_bytes: Size of the working folder; it lives in memory and counts on top.
        disk_files: Files and folders in the working folder.
        output_bytes: Standard output and error together; for a call, what it returns.
    """

    wall_s: float = 10.0
    cpu_s: float = 10.0
    memory_bytes: int = 512 * _MIB
    processes: int = 32
    open_files: int = 64
    disk_bytes: int = 32 * _MIB
    disk_files: int = 1000
    output_bytes: int = 128 * 1024


@dataclass(frozen=True)
class Program:
    """A program to run once.

    Attributes:
        argv: The command; `PYTHON` as its first word is the sandbox's own interpreter.
        files: Contents of the working folder by name.
        stdin: What it can read.

    Raises:
        ValueError: There is no command.
        RefusedName: A name in `files` leads out of the folder or is no name.
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
        """Return a Python program; `source` is written as `main.py` beside `files`."""
        contents = {**(files or {}), MAIN: source.encode("utf-8", "surrogatepass")}
        return cls((PYTHON, MAIN), contents, stdin, limits or Limits())


@dataclass(frozen=True)
class CallJob:
    """One function to call many times.

    Attributes:
        source: Python source that defines the function.
        function: Its name.
        calls: For every call the encoded pair (positional arguments, named arguments).
        files: Contents of the working folder, which the source can import and read.

    Raises:
        RefusedName: A name in `files` leads out of the folder or is no name.
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
        exit_status: None when it did not exit.
        signal: Number of the signal that it died of; None when it exited.
        wall_s: From its start; from the start of the sandbox when that was killed.
        cpu_s: Of all its processes; None when the sandbox was killed before it could say.
    """

    outcome: Outcome
    exit_status: int | None
    signal: int | None
    wall_s: float
    cpu_s: float | None


@dataclass(frozen=True)
class ProgramResult:
    """How a program ended and what it wrote; cut off after `output_bytes` in all."""

    ending: Ending
    stdout: bytes
    stderr: bytes

    @property
    def truncated(self) -> bool:
        """Whether it wrote more than is kept."""
        return self.ending.outcome is Outcome.OUTPUT_LIMIT


@dataclass(frozen=True)
class CallEnd:
    """How a call ended and the bytes that it sent back: not to be believed, only to be decoded."""

    ending: Ending
    answer: bytes


class Sandbox(Protocol):
    """A way to run a stranger's code.

    Attributes:
        name: The kind, as it is called in a config.
        description: Kind, version and what the kind does not contain, for the run report.
    """

    @property
    def name(self) -> str: ...  # noqa: D102

    @property
    def description(self) -> str: ...  # noqa: D102

    def run(self, program: Program) -> ProgramResult:
        """Run a program to its end, or to ours.

        Raises:
            SandboxError: It could not be started; says nothing about the program.
        """

    def call(self, job: CallJob) -> list[CallEnd]:
        """Run the calls of a job in order, and return how the first ones ended: at least one.

        It stops early after a call that left something behind for the next.

        Raises:
            SandboxError: It could not be started; says nothing about the calls.
        """
