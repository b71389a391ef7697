"""Limits without walls: only for who asks for them by name."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from sandbox_targets import processes_with, wait_for

from orket_lib.sandbox.detect import Unavailable, find_sandbox
from orket_lib.sandbox.examples import Call, NotReturned, Raised, Returned, call_examples
from orket_lib.sandbox.jobs import PYTHON, Limits, Outcome, Program, Sandbox
from orket_lib.vocabulary.errors import SandboxError

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="rlimits needs Linux")

LIMITS = Limits(wall_s=30.0, cpu_s=5.0, memory_bytes=256 * 1024**2, output_bytes=10_000)
SHORT = Limits(wall_s=0.5)


@pytest.fixture(scope="module")
def plain() -> Sandbox:
    found = find_sandbox(("rlimits",))
    assert not isinstance(found, Unavailable)
    return found


def test_it_is_never_used_unless_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.release", lambda: "4.0.0")
    assert isinstance(find_sandbox(), Unavailable)
    found = find_sandbox(("bubblewrap", "namespaces", "rlimits"))
    assert not isinstance(found, Unavailable)
    assert (found.name, found.description) == ("rlimits", "limits without walls, Linux")


def test_a_program_runs_in_a_folder_of_its_own(plain: Sandbox) -> None:
    source = """
import os, sys
print(sys.stdin.read(), sorted(os.listdir(".")), "SECRET" in os.environ)
open("made", "w").write("x")
print(os.getcwd())
sys.exit(4)
"""
    os.environ["SECRET"] = "1"
    try:
        result = plain.run(Program.python(source, {"a/b.txt": b"x"}, b"in", LIMITS))
    finally:
        del os.environ["SECRET"]
    first, folder = result.stdout.decode().splitlines()
    assert first == "in ['a', 'main.py'] False"
    assert not Path(folder).exists()
    assert (result.ending.outcome, result.ending.exit_status) == (Outcome.EXITED, 4)
    assert result.ending.cpu_s is None


@pytest.mark.parametrize(
    ("source", "limits", "outcome"),
    [
        ("import time; time.sleep(1000)", SHORT, Outcome.TIMEOUT),
        ("import os; os.closerange(0, 9); import time; time.sleep(1000)", SHORT, Outcome.TIMEOUT),
        ("while True: print('x' * 1000)", LIMITS, Outcome.OUTPUT_LIMIT),
        ("import ctypes; ctypes.string_at(0)", LIMITS, Outcome.CRASHED),
        ("bytearray(1 << 30)", LIMITS, Outcome.EXITED),
    ],
    ids=["sleep", "silent", "flood", "crash", "memory"],
)
def test_a_limit_is_kept(plain: Sandbox, source: str, limits: Limits, outcome: Outcome) -> None:
    result = plain.run(Program.python(source, limits=limits))
    assert result.ending.outcome is outcome
    assert len(result.stdout) <= LIMITS.output_bytes
    if outcome is Outcome.EXITED:
        assert result.stderr.endswith(b"MemoryError\n")


def test_the_cpu_limit_is_the_kernels(plain: Sandbox) -> None:
    source = "import resource; print(resource.getrlimit(resource.RLIMIT_CPU))"
    assert plain.run(Program.python(source, limits=LIMITS)).stdout == b"(7, 7)\n"


def test_a_program_can_say_that_it_ends(plain: Sandbox) -> None:
    result = plain.run(Program.python("exit(3)", limits=LIMITS))
    assert (result.ending.exit_status, result.stderr) == (3, b"")


def test_children_end_with_the_program(plain: Sandbox) -> None:
    mark = f"mark-{os.urandom(8).hex()}"
    source = "import subprocess, sys; subprocess.Popen(['sleep', '1000', sys.argv[1]])"
    plain.run(Program((PYTHON, "-c", source, mark), limits=LIMITS))
    assert wait_for(lambda: not list(processes_with(mark)))


def test_what_a_call_prints_is_dropped_as_where_there_are_walls(plain: Sandbox) -> None:
    source = """
import os, sys
def f():
    for descriptor in (1, 2):
        os.write(descriptor, b"x" * 100_000)
    print("x" * 100_000, file=sys.stderr)
    return sys.stdin.read()
"""
    (found,) = call_examples(plain, source, "f", [Call()], limits=LIMITS)
    assert isinstance(found, Returned)
    assert found.value == ""


def test_without_room_for_its_folder_nothing_is_said_of_the_code(
    plain: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "gone"))
    with pytest.raises(SandboxError, match=r"`rlimits` did not start: .*gone"):
        plain.run(Program.python("print()"))
    with pytest.raises(SandboxError, match=r"`rlimits` did not start: .*gone"):
        call_examples(plain, "def f(): ...", "f", [Call()])


def test_calls_have_their_own_processes(plain: Sandbox) -> None:
    source = """
import os, time
def f(x):
    if x == 1: os._exit(5)
    if x == 2: raise ValueError("two")
    if x == 3: time.sleep(1000)
    if x == 4: return "x" * 200_000
    open("left", "x")
    return (x, os.listdir("."))
"""
    calls = [Call((number,)) for number in (0, 1, 2, 3, 4, 0)]
    limits = Limits(wall_s=2.0)
    found = call_examples(plain, source, "f", calls, limits=limits)
    assert [type(result) for result in found] == [
        Returned, NotReturned, Raised, NotReturned, NotReturned, Returned
    ]  # fmt: skip
    assert isinstance(found[5], Returned)
    assert found[5].value == (0, ["left"])
    assert found[3].ending.outcome is Outcome.TIMEOUT
    assert found[4].ending.outcome is Outcome.OUTPUT_LIMIT
