"""Programs that behave, and sandboxes that can't be had."""

from __future__ import annotations

import os
import platform
import sys
from pathlib import Path

import pytest

from orket_lib.artifacts.measurements.spec import WITH_WALLS
from orket_lib.sandbox.detect import Unavailable, find_sandbox
from orket_lib.sandbox.examples import Call, call_examples
from orket_lib.sandbox.jobs import PYTHON, Limits, Outcome, Program, Sandbox
from orket_lib.vocabulary.errors import SandboxError

LIMITS = Limits(wall_s=30.0)


def test_input_output_errors_and_status(sandbox: Sandbox) -> None:
    source = """
import sys
print(sys.stdin.read().upper())
print("err", file=sys.stderr)
sys.exit(3)
"""
    result = sandbox.run(Program.python(source, stdin="hällo\n".encode()))
    assert result.ending.outcome is Outcome.EXITED
    assert (result.ending.exit_status, result.ending.signal) == (3, None)
    assert (result.stdout.decode(), result.stderr) == ("HÄLLO\n\n", b"err\n")
    assert not result.truncated


def test_it_says_what_was_used(sandbox: Sandbox) -> None:
    source = """
import os, time
end = time.process_time() + 0.2
while time.process_time() < end: pass
if os.fork() == 0:
    end = time.process_time() + 0.2
    while time.process_time() < end: pass
    os._exit(0)
os.wait()
"""
    ending = sandbox.run(Program.python(source, limits=LIMITS)).ending
    assert ending.cpu_s is not None
    # The kernel counts CPU time with another clock than the one that tells wall time: the two may
    # differ by its tick.
    assert 0.4 <= ending.cpu_s <= ending.wall_s + 0.02


IN_TURNS = """
import os, time
while True:
    if os.fork() == 0:
        end = time.process_time() + 0.02
        while time.process_time() < end: pass
        os._exit(0)
    os.wait()
"""


NOT_WAITED_FOR = """
import os, signal, time
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
while True:
    if os.fork() == 0:
        end = time.process_time() + 0.1
        while time.process_time() < end: pass
        os._exit(0)
    time.sleep(0.2)
"""


@pytest.mark.parametrize(
    "source",
    [
        "while True: pass",
        "import os\nos.fork(); os.fork()\nwhile True: pass",
        IN_TURNS,
        NOT_WAITED_FOR,
    ],
    ids=["one", "several", "one after the other", "not waited for"],
)
def test_cpu_time_of_all_processes_counts(sandbox: Sandbox, source: str) -> None:
    limits = Limits(wall_s=20.0, cpu_s=0.4)
    ending = sandbox.run(Program.python(source, limits=limits)).ending
    assert ending.outcome is Outcome.CPU_LIMIT
    assert ending.cpu_s is not None
    assert 0.4 < ending.cpu_s < 5


def test_input_of_any_size_arrives_and_output_up_to_the_limit(sandbox: Sandbox) -> None:
    data = os.urandom(1_000_000)
    source = """
import hashlib, sys
data = sys.stdin.buffer.read()
print(hashlib.sha256(data).hexdigest(), len(data))
sys.stdout.flush()
sys.stdout.buffer.write(b"x" * (100_000 - 73))
"""
    limits = Limits(wall_s=30.0, output_bytes=100_000)
    result = sandbox.run(Program.python(source, stdin=data, limits=limits))
    assert result.ending.outcome is Outcome.EXITED
    assert result.stdout.split()[1] == b"1000000"
    assert len(result.stdout) == 100_000
    longer = source.replace("- 73", "- 72")
    result = sandbox.run(Program.python(longer, stdin=data, limits=limits))
    assert result.ending.outcome is Outcome.OUTPUT_LIMIT
    assert result.truncated
    assert len(result.stdout) == 100_000


def test_files_can_be_imported_read_and_written(sandbox: Sandbox) -> None:
    source = """
import sys; sys.path.insert(0, ".")
import helper
from package.inner import VALUE
open("out.txt", "w").write("new")
open("data.bin", "ab").write(b"more")
print(helper.VALUE, VALUE, open("data.bin", "rb").read(), open("out.txt").read())
"""
    files = {
        "helper.py": b"VALUE = 1",
        "package/inner.py": b"VALUE = 2",
        "data.bin": b"\x00\xff",
    }
    result = sandbox.run(Program.python(source, files))
    assert result.stdout == b"1 2 b'\\x00\\xffmore' new\n", result.stderr


def test_programs_of_the_system_run(sandbox: Sandbox) -> None:
    result = sandbox.run(Program(("sort", "-n", "numbers"), {"numbers": b"3\n10\n2\n"}))
    assert result.stdout == b"2\n3\n10\n", result.stderr


def test_a_program_that_is_not_there(sandbox: Sandbox) -> None:
    result = sandbox.run(Program(("no-such-program", "x")))
    assert (result.ending.outcome, result.ending.exit_status) == (Outcome.EXITED, 127)
    assert result.stderr == b"no-such-program: No such file or directory\n"


def test_a_program_without_a_command_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="a program needs a command"):
        Program(())


@pytest.mark.parametrize(
    "files",
    [{"big": bytes(3_000_000)}, {f"{number}": b"" for number in range(60)}],
    ids=["size", "number"],
)
def test_files_that_do_not_fit_are_the_strangers_fault(
    sandbox: Sandbox, files: dict[str, bytes]
) -> None:
    limits = Limits(wall_s=30.0, disk_bytes=2_000_000, disk_files=50)
    result = sandbox.run(Program.python("import time; time.sleep(1000)", files, limits=limits))
    assert result.ending.outcome is Outcome.DISK_LIMIT
    source = "import time\ndef f(): time.sleep(1000)"
    found = call_examples(sandbox, source, "f", [Call(), Call()], files=files, limits=limits)
    assert [result.ending.outcome for result in found] == [Outcome.DISK_LIMIT] * 2


def test_what_a_program_finds(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOMETHING_OF_OURS", "secret")
    source = """
import json, os, socket, sys
print(json.dumps([
    sorted(set(os.environ) - {"LD_LIBRARY_PATH"}), os.getcwd(), os.getpid() < 5, os.getuid() != 0,
    socket.gethostname(), sys.version_info[:3], sorted(os.listdir("/dev")), os.listdir("."),
    list(filter(os.path.exists, ("/home", "/etc/passwd", "/var", "/sys", "/run", "/mnt"))),
]))
"""
    result = sandbox.run(Program.python(source))
    import json

    names, folder, low_pid, no_root, host, version, devices, files, others = json.loads(
        result.stdout
    )
    assert names == [
        "HOME", "LANG", "MALLOC_ARENA_MAX", "PATH", "PYTHONHASHSEED", "PYTHONUTF8", "TMPDIR"
    ]  # fmt: skip
    assert (folder, low_pid, no_root, host) == ("/box", True, True, "sandbox")
    assert version == list(sys.version_info[:3])
    assert devices == ["full", "null", "random", "urandom"]
    assert files == ["main.py"]
    assert others == (["/home"] if sys.base_prefix.startswith("/home/") else [])


def test_a_program_is_started_as_the_interpreter_itself_would(sandbox: Sandbox) -> None:
    source = b"""# encoding: latin-1
from __future__ import annotations
import __main__, inspect, other, sys
def own() -> Nothing: ...
print(__name__, __file__, sys.argv, sys.path[0], sys.modules["__main__"] is __main__)
print(sorted(name for name in vars(__main__) if not name.startswith("_")))
print(inspect.getsource(own), "\xe4", own.__annotations__)
def deeper(): deeper()
try:
    deeper()
except RecursionError:
    exit(3)
"""
    files = {"tool/main.py": source, "tool/other.py": b""}
    result = sandbox.run(Program((PYTHON, "tool/main.py", "-c", "x"), files, limits=LIMITS))
    assert result.stdout.decode() == (
        "__main__ /box/tool/main.py ['tool/main.py', '-c', 'x'] /box/tool True\n"
        "['annotations', 'inspect', 'other', 'own', 'sys']\n"
        "def own() -> Nothing: ...\n \xe4 {'return': 'Nothing'}\n"
    )
    assert (result.stderr, result.ending.exit_status) == (b"", 3)


def test_many_at_the_same_time(sandbox: Sandbox) -> None:
    from concurrent.futures import ThreadPoolExecutor

    programs = [Program.python(f"print({number})", limits=LIMITS) for number in range(12)]
    with ThreadPoolExecutor(6) as pool:
        outputs = [result.stdout for result in pool.map(sandbox.run, programs)]
    assert outputs == [f"{number}\n".encode() for number in range(12)]


def test_threads_and_processes_work_within_the_default_limits(sandbox: Sandbox) -> None:
    source = """
from concurrent.futures import ThreadPoolExecutor
import subprocess, sys, time
with ThreadPoolExecutor(24) as pool:
    print(sum(pool.map(lambda n: time.sleep(0.05) or n, range(24))))
print(subprocess.run([sys.executable, "-c", "print(7)"], capture_output=True, text=True).stdout)
"""
    result = sandbox.run(Program.python(source, limits=LIMITS))
    assert result.stdout.split() == [b"276", b"7"], result.stderr


def test_memory_that_processes_share_counts_once(sandbox: Sandbox) -> None:
    source = """
import os, time
shared = b"x" * (40 << 20)
children = []
for _ in range(4):
    pid = os.fork()
    if pid == 0:
        time.sleep(0.3)
        os._exit(len(shared) & 1)
    children.append(pid)
print([os.waitpid(pid, 0)[1] for pid in children])
"""
    limits = Limits(wall_s=30.0, memory_bytes=96 * 1024**2)
    result = sandbox.run(Program.python(source, limits=limits))
    assert result.stdout == b"[0, 0, 0, 0]\n", result


def test_each_kind_has_a_name_and_a_description(sandbox: Sandbox) -> None:
    assert sandbox.name in WITH_WALLS
    assert platform.release() in sandbox.description
    assert sandbox.name in sandbox.description


def reason_of(*allowed: str) -> str:
    found = find_sandbox(allowed)
    assert isinstance(found, Unavailable)
    return found.reason


def test_a_kind_that_does_not_exist_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="no sandbox `docker`; there are bubblewrap, namespaces"):
        find_sandbox(("docker",))


def test_nothing_allowed_is_nothing_found() -> None:
    assert reason_of() == "no kind of sandbox is allowed"


def test_what_needs_another_system_says_so() -> None:
    if sys.platform == "win32":
        assert reason_of(*WITH_WALLS).count("needs Linux, and this is win32") == 2
    else:
        assert reason_of("job_object") == f"job_object: needs Windows, and this is {sys.platform}"


linux = pytest.mark.skipif(sys.platform != "linux", reason="the kinds with walls need Linux")


@linux
def test_without_bubblewrap_the_next_kind_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert reason_of("bubblewrap") == "bubblewrap: `bwrap` (bubblewrap) is not installed"
    assert find_sandbox(("bubblewrap",)) == Unavailable(reason_of("bubblewrap"))


@linux
@pytest.mark.parametrize(
    ("release", "machine", "reason"),
    [
        ("5.13.0-generic", "x86_64", "needs Linux 5.14 or later, and this is 5.13.0-generic"),
        ("4.18.0-553.el8", "x86_64", "needs Linux 5.14 or later, and this is 4.18.0-553.el8"),
        ("6.1.0", "riscv64", "no filter of system calls is known for riscv64"),
    ],
)
def test_a_system_that_cannot_do_it(
    monkeypatch: pytest.MonkeyPatch, release: str, machine: str, reason: str
) -> None:
    monkeypatch.setattr(platform, "release", lambda: release)
    monkeypatch.setattr(platform, "machine", lambda: machine)
    assert reason_of("namespaces") == f"namespaces: {reason}"
    assert f"bubblewrap: {reason}" in reason_of("bubblewrap", "namespaces")


@linux
@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("echo 'bwrap: setting up uid map: Permission denied' >&2; exit 1", "Permission denied"),
        ("exit 0", "it was killed"),
    ],
    ids=["refused", "silent"],
)
def test_a_bubblewrap_that_is_not_allowed_to_is_not_used(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, script: str, reason: str
) -> None:
    stand_in = tmp_path / "bwrap"
    body = f'#!/bin/sh\nif [ "$1" = --version ]; then echo bubblewrap 9; exit; fi\n{script}\n'
    stand_in.write_text(body)
    stand_in.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    assert reason in reason_of("bubblewrap")


def stand_in(*script: str) -> Sandbox:
    """Return a sandbox that is a shell script instead; it can write to the status as `$1`."""
    from orket_lib.sandbox import contained

    def command(around: object, limits: Limits, spec: int, status: int) -> list[str]:
        return ["/bin/sh", "-c", "; ".join(script), "sh", f"/proc/self/fd/{status}"]

    return contained.ContainedSandbox("stand_in", "", command)


@linux
@pytest.mark.parametrize(
    ("script", "reason"),
    [
        (["exit 0"], "it was killed"),
        (
            ["echo first >&2", "echo 'OSError: [Errno 1] unshare' >&2"],
            r"OSError: \[Errno 1\] unshare",
        ),
        (["echo ready >&2", "exec sleep 1000"], "ready"),
        (["echo nonsense > $1"], "it was killed"),
    ],
    ids=["silent", "error", "hangs", "nonsense"],
)
def test_a_sandbox_that_does_not_start_judges_nobody(
    monkeypatch: pytest.MonkeyPatch, script: list[str], reason: str
) -> None:
    monkeypatch.setattr("orket_lib.sandbox.contained._GRACE_S", 1.0)
    with pytest.raises(SandboxError, match=f"sandbox `stand_in` did not start: {reason}"):
        stand_in(*script).run(Program((PYTHON, "-c", ""), limits=Limits(wall_s=0.0)))


@linux
def test_a_command_that_cannot_be_started_is_named() -> None:
    from orket_lib.sandbox import contained

    sandbox = contained.ContainedSandbox("gone", "", lambda *_: ["/nowhere/launcher"])
    with pytest.raises(SandboxError, match=r"`gone` did not start: .*/nowhere/launcher"):
        sandbox.run(Program((PYTHON, "-c", "")))


def test_without_room_for_its_job_nothing_is_said_of_the_code(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "gone"))
    with pytest.raises(SandboxError, match=f"`{sandbox.name}` did not start: .*gone"):
        sandbox.run(Program.python("print()"))
    found = find_sandbox((sandbox.name,))
    assert isinstance(found, Unavailable)
    assert f"{sandbox.name}: sandbox `{sandbox.name}` did not start" in found.reason


@linux
@pytest.mark.parametrize(
    ("script", "outcome"),
    [
        (["echo ready > $1", "exec sleep 1000"], Outcome.TIMEOUT),
        (["echo ready > $1"], Outcome.KILLED),
        (["echo ready > $1", "printf 'exited 0 - 0.1' > $1"], Outcome.KILLED),
        (["echo ready > $1", "head -c 200000 /dev/zero"], Outcome.OUTPUT_LIMIT),
        (["echo ready > $1", "echo 'crashed - 11 0.1 0.2 0' > $1"], Outcome.CRASHED),
    ],
    ids=["hangs", "dies", "dies while it speaks", "floods", "speaks"],
)
def test_a_supervisor_that_fails_after_it_was_ready(
    monkeypatch: pytest.MonkeyPatch, script: list[str], outcome: Outcome
) -> None:
    monkeypatch.setattr("orket_lib.sandbox.contained._GRACE_S", 1.0)
    program = Program((PYTHON, "-c", ""), limits=Limits(wall_s=0.0))
    assert stand_in(*script).run(program).ending.outcome is outcome
