"""A sandbox never outlives its parent, and a killed one differs from a bad program."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from sandbox_targets import processes_with, wait_for

from orket_lib.sandbox.examples import Call, NotReturned, Returned, call_examples
from orket_lib.sandbox.jobs import Limits, Outcome, Program, ProgramResult, Sandbox

LIMITS = Limits(wall_s=60.0)
# A program with a daemon that has left everything that can be left.
PROGRAM = """
import subprocess, sys
sleeper = [sys.executable, "-c", "import time; time.sleep(1000)", sys.argv[1]]
subprocess.Popen(sleeper, start_new_session=True, stdout=subprocess.DEVNULL)
subprocess.run(sleeper)
"""
# Our own process, as another: it runs the program and is killed in the middle.
HARNESS = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # whatever a shell has made of it
from orket_lib.sandbox.detect import find_sandbox
from orket_lib.sandbox.jobs import Limits, Program
kind, source, mark = sys.argv[1:]
files = {"main.py": source.encode()}
program = Program(("python", "main.py", mark), files, limits=Limits(wall_s=60))
print(find_sandbox((kind,)).run(program), flush=True)
"""


@pytest.fixture
def mark() -> Iterator[str]:
    text = f"mark-{secrets.token_hex(8)}"
    yield text
    for pid in processes_with(text):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def inside(mark: str) -> list[int]:
    """Return the processes in the sandbox that carry a mark."""
    ours = Path("/proc/self/ns/pid").readlink()
    found = []
    for pid in processes_with(mark):
        with suppress(OSError):  # it ended meanwhile
            if Path(f"/proc/{pid}/ns/pid").readlink() != ours:
                found.append(pid)
    return found


def parent_of(pid: int) -> int:
    stat = Path(f"/proc/{pid}/stat").read_text()
    return int(stat.rpartition(")")[2].split()[1])


@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_it_dies_with_the_process_that_asked_for_it(
    sandbox: Sandbox, mark: str, ending: signal.Signals
) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HARNESS, sandbox.name, PROGRAM, mark],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as harness:
        try:
            assert wait_for(lambda: len(inside(mark)) >= 3)
            harness.send_signal(ending)
            assert wait_for(lambda: not inside(mark))
        finally:
            harness.kill()
        assert harness.stdout is not None
        assert harness.stdout.read() == b""
    assert harness.returncode != 0


def run_and_kill(sandbox: Sandbox, mark: str, generations: int) -> ProgramResult:
    """Run the program and kill an ancestor of it: its parent is PID 1 of the sandbox."""
    program = Program(("python", "main.py", mark), {"main.py": PROGRAM.encode()}, b"", LIMITS)
    results: list[ProgramResult] = []
    thread = threading.Thread(target=lambda: results.append(sandbox.run(program)), daemon=True)
    thread.start()
    assert wait_for(lambda: len(inside(mark)) >= 3)
    victim = min(inside(mark))
    for _ in range(generations):
        victim = parent_of(victim)
    assert victim != os.getpid()
    os.kill(victim, signal.SIGKILL)
    thread.join()
    return results[0]


@pytest.mark.parametrize("generations", [1, 2], ids=["supervisor", "launcher"])
def test_killing_the_sandbox_is_not_the_programs_fault(
    sandbox: Sandbox, mark: str, generations: int
) -> None:
    result = run_and_kill(sandbox, mark, generations)
    assert result.ending.outcome is Outcome.KILLED
    assert (result.ending.exit_status, result.ending.cpu_s) == (None, None)
    assert wait_for(lambda: not inside(mark))


def test_a_killed_program_is_a_crash(sandbox: Sandbox, mark: str) -> None:
    result = run_and_kill(sandbox, mark, generations=0)
    assert (result.ending.outcome, result.ending.signal) == (Outcome.CRASHED, signal.SIGKILL)
    assert wait_for(lambda: not inside(mark))


def test_a_call_whose_sandbox_is_killed_fails_alone(sandbox: Sandbox, mark: str) -> None:
    source = f"""
import subprocess, sys
def f(x):
    if x: subprocess.run([sys.executable, "-c", "import time; time.sleep(1000)", "{mark}"])
    return x
"""
    found: list[object] = []
    calls = [Call((number,)) for number in (0, 1, 0)]
    thread = threading.Thread(
        target=lambda: found.extend(call_examples(sandbox, source, "f", calls, limits=LIMITS)),
        daemon=True,
    )
    thread.start()
    # Once for the call in its first sandbox, and once more in one of its own.
    for _ in range(2):
        assert wait_for(lambda: len(inside(mark)) == 1)
        (sleeper,) = inside(mark)
        os.kill(parent_of(parent_of(sleeper)), signal.SIGKILL)
        assert wait_for(lambda sleeper=sleeper: sleeper not in inside(mark))  # type: ignore[misc]
    thread.join()
    assert [type(result) for result in found] == [Returned, NotReturned, Returned]


def test_nothing_of_a_run_stays_behind(sandbox: Sandbox) -> None:
    sandbox.run(Program.python("pass"))
    before = _what_is_there()
    for _ in range(3):
        sandbox.run(Program.python("import os; os.abort()", limits=LIMITS))
        call_examples(sandbox, "def f(): open('x', 'w')", "f", [Call(), Call()])
    assert _what_is_there() == before


# Two ends of a socket, each in flight in the other, with more descriptors: no process can get them.
SENT_TO_ITSELF = """
import array, socket
def send(*descriptors):
    pair = socket.socketpair()
    held = array.array("i", [*descriptors, *(one.fileno() for one in pair)])
    for one in pair:
        one.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, held)])
"""


def test_what_was_sent_to_nobody_keeps_nobody_waiting(sandbox: Sandbox) -> None:
    limits = Limits(wall_s=1.0)
    sandbox.run(Program.python("pass"))
    before = _what_is_there()
    source = SENT_TO_ITSELF + "def f(x):\n    send(3)\n    return x"
    begin = time.monotonic()
    found = call_examples(sandbox, source, "f", [Call((1,))] * 8, limits=limits)
    # Whatever closes a local socket somewhere on the machine ends such a wait, but not every time.
    assert time.monotonic() - begin < 8
    assert [result.ending.outcome for result in found] == [Outcome.EXITED] * 8
    result = sandbox.run(
        Program.python(SENT_TO_ITSELF + "print('said')\nsend(1, 2)", limits=limits)
    )
    assert (result.ending.outcome, result.stdout, result.stderr) == (Outcome.EXITED, b"said\n", b"")
    assert _what_is_there() == before


def _what_is_there() -> tuple[object, ...]:
    return (
        [path.name for path in Path("/proc/self/fd").iterdir()],
        threading.active_count(),
        list(Path(tempfile.gettempdir()).glob("orket-*")),
        Path("/proc/self/mountinfo").read_text(),
    )
