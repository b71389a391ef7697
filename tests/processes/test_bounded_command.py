"""Real commands that misbehave: none of them gets away, and none of them harms us."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from orket_lib.processes import bounded_command as bounded
from orket_lib.processes.bounded_command import Ended, run_bounded
from orket_lib.processes.bounded_command_child import FLOOD_BYTES, KEPT_BYTES, text_of

posix = pytest.mark.skipif(os.name == "nt", reason="process groups and signals of POSIX")
LONG_S = 60.0

# Starts a grandchild that would outlive everybody, and names it in the file argv[1].
_FORK = """
import os, subprocess, sys
child = subprocess.Popen([sys.executable, "-S", "-c", "import time; time.sleep(1000)"], **{options})
with open(sys.argv[1] + ".part", "w") as stream:
    stream.write(str(child.pid))
os.replace(sys.argv[1] + ".part", sys.argv[1])
"""


def python(code: str, *arguments: str) -> list[str]:
    return [sys.executable, "-S", "-c", code, *arguments]


def run(tmp_path: Path, command: list[str], timeout_s: float = LONG_S, **env: str) -> Ended:
    return run_bounded(command, env, timeout_s, tmp_path / "out.json")


def is_alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + LONG_S
    while not condition():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.01)


def test_a_command_that_behaves(tmp_path: Path) -> None:
    code = (
        "import sys; print('out'); print('err', file=sys.stderr); open(sys.argv[1], 'w').write('x')"
    )
    ended = run(tmp_path, python(code, str(tmp_path / "out.json")))
    assert (ended.error, ended.exit_status) == (None, 0)
    assert (ended.stdout.text.strip(), ended.stderr.text.strip()) == ("out", "err")
    assert (ended.out_file.text, ended.out_file.bytes) == ("x", 1)
    assert ended.stdout.end is None


def test_a_failing_command_keeps_its_status_and_its_output(tmp_path: Path) -> None:
    ended = run(tmp_path, python("print('{}'); raise SystemExit(3)"))
    assert (ended.error, ended.exit_status, ended.stdout.text.strip()) == (None, 3, "{}")


@posix
def test_a_command_that_dies_of_a_signal(tmp_path: Path) -> None:
    ended = run(tmp_path, python("import os; os.kill(os.getpid(), 9)"))
    assert (ended.error, ended.exit_status) == (None, -9)


def test_a_command_that_is_not_there(tmp_path: Path) -> None:
    ended = run(tmp_path, ["no-such-command-anywhere", "--x"])
    assert (ended.error, ended.exit_status) == ("command_not_found", None)


@posix
@pytest.mark.parametrize("mode", [0o644, 0o755])
def test_a_command_that_is_no_program(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "tool"
    path.write_bytes(b"\x7fnot a program")
    path.chmod(mode)
    assert run(tmp_path, [str(path)]).error == "command_not_executable"


def test_an_argument_that_no_system_takes(tmp_path: Path) -> None:
    assert run(tmp_path, python("pass", "a\0b")).error == "command_not_executable"


def test_arguments_arrive_as_they_are(tmp_path: Path) -> None:
    odd = ["two words", "$HOME", "; exit 1", '"', "", "ü", "*"]
    ended = run(tmp_path, python("import json, sys; print(json.dumps(sys.argv[1:]))", *odd))
    assert json.loads(ended.stdout.text) == odd


def test_a_command_reads_nothing_from_us_and_gets_the_environment(tmp_path: Path) -> None:
    code = (
        "import os, sys; print(repr(sys.stdin.read()), os.environ['PROBE'], 'PATH' in os.environ)"
    )
    assert run(tmp_path, python(code), PROBE="on").stdout.text.split() == ["''", "on", "True"]


def test_a_command_that_hangs_is_ended(tmp_path: Path) -> None:
    begin = time.monotonic()
    ended = run(tmp_path, python("import time; time.sleep(1000)"), timeout_s=0.5)
    assert (ended.error, ended.exit_status) == ("timeout", None)
    assert time.monotonic() - begin < LONG_S


@posix
def test_a_command_that_ignores_being_asked_is_ended(tmp_path: Path) -> None:
    code = "import signal, time\nfor n in (1, 2, 15): signal.signal(n, signal.SIG_IGN)\n"
    assert run(tmp_path, python(code + "time.sleep(1000)"), timeout_s=1).error == "timeout"


@posix
@pytest.mark.parametrize("options", ["{}", "{'start_new_session': True}"], ids=["group", "session"])
@pytest.mark.parametrize(
    ("ending", "error"),
    [
        pytest.param("", None, id="and ends"),
        pytest.param("while True: os.write(1, bytes(65536))", "output_limit", id="and floods"),
        pytest.param("os.kill(os.getpid(), 9)", None, id="and dies"),
    ],
)
def test_a_forked_grandchild_does_not_outlive_the_command(
    tmp_path: Path, options: str, ending: str, error: str | None
) -> None:
    if options != "{}" and sys.platform != "linux":
        pytest.skip("only Linux lets us adopt what left the process group")
    pid_file = tmp_path / "pid"
    code = _FORK.replace("{options}", options) + ending
    ended = run(tmp_path, python(code, str(pid_file)))
    assert ended.error == error
    assert not is_alive(int(pid_file.read_text()))


@posix
def test_the_time_limit_ends_grandchildren_too(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    code = _FORK.replace("{options}", "{}") + "child.wait()"
    assert run(tmp_path, python(code, str(pid_file)), timeout_s=5).error == "timeout"
    assert not is_alive(int(pid_file.read_text()))


@posix
def test_a_grandchild_that_keeps_the_output_open_holds_nobody_up(tmp_path: Path) -> None:
    begin = time.monotonic()
    ended = run(tmp_path, ["sh", "-c", "sleep 1000 & echo '{}'"])
    assert (ended.error, ended.exit_status, ended.stdout.text) == (None, 0, "{}\n")
    assert time.monotonic() - begin < LONG_S


@pytest.mark.parametrize("stream", [1, 2])
def test_a_flood_is_ended_and_only_its_ends_are_kept(tmp_path: Path, stream: int) -> None:
    code = f"import os\nos.write({stream}, b'first ')\nwhile True: os.write({stream}, b'x' * 65536)"
    ended = run(tmp_path, python(code))
    flooded = ended.stdout if stream == 1 else ended.stderr
    assert ended.error == "output_limit"
    assert flooded.bytes > FLOOD_BYTES
    assert flooded.text.startswith("first x")
    assert (len(flooded.text), len(flooded.end or "")) == (KEPT_BYTES, KEPT_BYTES)


def test_a_file_that_is_flooded_is_ended(tmp_path: Path) -> None:
    code = "import sys\nwith open(sys.argv[1], 'wb') as f:\n while True: f.write(b'x' * 65536)"
    out = tmp_path / "out.json"
    ended = run(tmp_path, python(code, str(out)))
    assert ended.error == "output_limit"
    assert len(ended.out_file.text) + len(ended.out_file.end or "") == 2 * KEPT_BYTES


def test_long_output_keeps_beginning_and_end(tmp_path: Path) -> None:
    code = "import sys; sys.stdout.write('begin' + ' ' * 1_000_000 + 'end')"
    ended = run(tmp_path, python(code))
    assert (ended.error, ended.stdout.bytes) == (None, 1_000_008)
    assert ended.stdout.text.startswith("begin") and (ended.stdout.end or "").endswith("end")


def test_garbage_bytes_are_text_afterwards(tmp_path: Path) -> None:
    code = "import os; os.write(1, bytes(range(256)) * 4 + b'{\"ttft_ms\": 5}')"
    ended = run(tmp_path, python(code))
    assert ended.error is None
    assert ended.stdout.bytes == 1024 + len('{"ttft_ms": 5}')
    assert ended.stdout.text.endswith('{"ttft_ms": 5}')


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_text_of_every_encoding_that_powershell_writes(encoding: str) -> None:
    assert text_of('{"a": "ü"}'.encode(encoding)) == '{"a": "ü"}'


@posix
def test_a_pipe_in_the_file_s_place_is_not_waited_for(tmp_path: Path) -> None:
    ended = run(tmp_path, ["mkfifo", str(tmp_path / "out.json")])
    assert (ended.error, ended.out_file.bytes) == (None, 0)


@posix
def test_when_we_are_killed_the_command_ends(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    hanging = python(_FORK.replace("{options}", "{}") + "child.wait()", str(pid_file))
    code = (
        "import sys, pathlib\n"
        "from orket_lib.processes.bounded_command import run_bounded\n"
        "run_bounded(sys.argv[2:], {}, 1000, pathlib.Path(sys.argv[1]))\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "out.json"), *hanging])
    wait_for(pid_file.is_file)
    grandchild = int(pid_file.read_text())
    family = psutil.Process(parent.pid).children(recursive=True)
    assert grandchild in [process.pid for process in family]

    parent.kill()
    parent.wait()

    wait_for(lambda: not any(is_alive(process.pid) for process in family))


@posix
def test_when_the_watcher_is_killed_that_is_told(tmp_path: Path) -> None:
    ended = run(tmp_path, python("import os; os.kill(os.getppid(), 9)"))
    assert (ended.error, ended.exit_status) == ("runner_killed", None)


@posix
def test_a_watcher_that_is_stopped_is_waited_for_no_longer_than_it_may_take(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bounded, "_OVERHEAD_S", 2.0)
    monkeypatch.setattr(bounded, "_END_S", 0.5)
    stop_it = "import os, signal; os.kill(os.getppid(), signal.SIGSTOP)"
    begin = time.monotonic()
    ended = run_bounded(python(stop_it), {}, 1.0)
    assert (ended.error, ended.exit_status) == ("runner_killed", None)
    assert time.monotonic() - begin < LONG_S


@posix
def test_a_watcher_whose_parent_is_killed_ends_without_a_word(tmp_path: Path) -> None:
    script = (
        "import sys\n"
        "from pathlib import Path\n"
        "from orket_lib.processes.bounded_command import run_bounded\n"
        "run_bounded([sys.executable, '-S', '-c', sys.argv[1]], {}, 60.0)\n"
    )
    ready = tmp_path / "ready"
    waits = f"import time; open({str(ready)!r}, 'w').close(); time.sleep(1000)"
    parent = subprocess.Popen(
        [sys.executable, "-c", script, waits], stderr=subprocess.PIPE, text=True
    )
    wait_for(ready.exists)
    (watcher,) = psutil.Process(parent.pid).children()
    parent.kill()
    wait_for(lambda: not is_alive(watcher.pid))
    assert parent.stderr is not None
    with parent:  # its end is that of everybody who could write there
        assert parent.stderr.read() == ""
