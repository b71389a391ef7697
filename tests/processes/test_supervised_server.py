"""A server that we start ends with us, however we end, and never before."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from orket_lib.processes import supervised_server as supervised_server_module
from orket_lib.processes.supervised_server import SupervisedServer, supervised_server
from orket_lib.vocabulary.errors import LoadError

DEADLINE_S = 20.0
SLEEPER = "import time; print('here I am', flush=True); time.sleep(600)"
STUBBORN = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {SLEEPER}"


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "server.log"


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def is_gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def wait_until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, f"not within {DEADLINE_S:g} s: {what}"
        time.sleep(0.02)


@contextmanager
def running(code: str, log: Path, cpus: tuple[int, ...] = ()) -> Iterator[SupervisedServer]:
    with supervised_server(python(code), os.environ, cpus, log) as server:
        yield server


def says(log: Path, words: str = "here I am") -> None:
    wait_until(lambda: words in log.read_text(encoding="utf-8"), f"`{words}` in the log")


def test_it_runs_while_it_is_wanted_and_is_gone_afterwards(log: Path) -> None:
    with running(SLEEPER, log) as server:
        says(log)
        assert server.death(0.05) is None
        assert psutil.Process(server.pid).cmdline()[-1] == SLEEPER
    assert is_gone(server.pid)


def test_what_it_says_is_in_the_log_and_an_older_log_is_not(log: Path) -> None:
    log.write_text("words of the server before", encoding="utf-8")
    code = "import sys; print('out', flush=True); print('err', file=sys.stderr)"
    with running(code, log) as server:
        assert str(server.death(DEADLINE_S)) == "the server ended with exit status 0"
    assert sorted(log.read_text(encoding="utf-8").split()) == ["err", "out"]


def test_how_it_ended_is_told_as_often_as_one_asks(log: Path) -> None:
    with running("raise SystemExit(7)", log) as server:
        endings = [server.death(DEADLINE_S) for _ in range(3)]
    assert list(map(str, endings)) == ["the server ended with exit status 7"] * 3


def test_a_kill_is_told_as_one(log: Path) -> None:
    with running(SLEEPER, log) as server:
        os.kill(server.pid, signal.SIGKILL)
        assert str(server.death(DEADLINE_S)) == "the server ended with exit status -9"


def test_a_program_that_is_not_there_does_not_load(log: Path, tmp_path: Path) -> None:
    missing = str(tmp_path / "no-such-server")
    with (
        pytest.raises(LoadError, match="no-such-server: No such file"),
        supervised_server([missing], os.environ, (), log),
    ):
        pytest.fail("it was started")


def test_one_that_does_not_want_to_end_is_killed(
    log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running(STUBBORN, log) as server:
        says(log)
    assert is_gone(server.pid)


@pytest.mark.skipif(os.name == "nt", reason="a script for a shell, and signals")
def test_a_script_around_it_leaves_nothing_behind(log: Path, tmp_path: Path) -> None:
    script = tmp_path / "around"
    inner = 'import os, time; print("here I am", os.getpid(), flush=True); time.sleep(600)'
    script.write_text(f"#!/bin/sh\n{sys.executable} -c '{inner}'\nexit 0\n", encoding="utf-8")
    script.chmod(0o755)
    with supervised_server([str(script)], os.environ, (), log):
        says(log)
        pid = int(log.read_text(encoding="utf-8").rpartition("here I am ")[2].split()[0])
        assert not is_gone(pid)
    wait_until(lambda: is_gone(pid), "its own process is gone")


@pytest.mark.skipif(os.name == "nt", reason="signals")
@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM])
def test_a_signal_to_all_of_us_does_not_leave_it_behind(log: Path, number: int) -> None:
    """A terminal that is closed, say: who keeps it lives on until we are gone, and ends it."""
    with running(SLEEPER, log) as server:
        says(log)
        (supervisor,) = (
            child
            for child in psutil.Process().children()
            if server.pid in [grandchild.pid for grandchild in child.children()]
        )
        supervisor.send_signal(number)
        assert server.death(0.3) is None
        pid = server.pid
    wait_until(lambda: is_gone(pid), "it is gone with us")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux kills the children of the killed")
def test_when_its_keeper_is_killed_it_is_gone(log: Path) -> None:
    with running(SLEEPER, log) as server:
        says(log)
        supervisor = psutil.Process(server.pid).parent()
        assert supervisor is not None
        supervisor.kill()
        ending = server.death(DEADLINE_S)
        assert str(ending) == "the server ended with its supervisor, which was killed"
        wait_until(lambda: is_gone(server.pid), "the server is gone")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux kills the children of the killed")
def test_a_keeper_that_is_stopped_is_not_waited_for_without_end(
    log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervised_server_module, "_PATIENCE_S", 0.2)
    monkeypatch.setattr(supervised_server_module, "STOP_TIMEOUT_S", 0.2)
    with running(SLEEPER, log) as server:
        says(log)
        supervisor = psutil.Process(server.pid).parent()
        assert supervisor is not None
        supervisor.send_signal(signal.SIGSTOP)
        begin = time.monotonic()
    assert time.monotonic() - begin < DEADLINE_S
    wait_until(lambda: is_gone(server.pid), "the server is gone")


_OWNER = """
import os, sys, time
from pathlib import Path
from orket_lib.processes.supervised_server import supervised_server
command, log = [sys.executable, "-c", sys.argv[1]], Path(sys.argv[2])
with supervised_server(command, os.environ, (), log) as server:
    print(server.pid, flush=True)
    time.sleep(600)
"""


@pytest.mark.parametrize("code", [SLEEPER, STUBBORN], ids=["obedient", "stubborn"])
def test_when_we_are_killed_it_is_gone(log: Path, code: str) -> None:
    owner = subprocess.Popen(
        [sys.executable, "-c", _OWNER, code, str(log)], stdout=subprocess.PIPE, text=True
    )
    assert owner.stdout is not None
    pid = int(owner.stdout.readline())
    says(log)
    owner.kill()
    owner.wait()
    owner.stdout.close()
    wait_until(lambda: is_gone(pid), "the server is gone")


@pytest.mark.skipif(not hasattr(os, "getsid"), reason="this system has no sessions")
def test_ctrl_c_on_the_terminal_does_not_reach_it(log: Path) -> None:
    with running(SLEEPER, log) as server:
        supervisor = psutil.Process(server.pid).parent()
        assert supervisor is not None
        assert os.getpgid(server.pid) not in (os.getpgid(0), os.getpgid(supervisor.pid))
        supervisor.send_signal(signal.SIGINT)  # which shares our terminal, and does not mind
        assert server.death(0.3) is None


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="no affinity on this system")
def test_it_has_the_cpus_that_it_may_use_from_its_first_moment(log: Path) -> None:
    cpu = min(os.sched_getaffinity(0))
    code = "import os, json; print(json.dumps(sorted(os.sched_getaffinity(0))), flush=True)"
    with running(code, log, (cpu,)) as server:
        assert server.death(DEADLINE_S) is not None
    assert json.loads(log.read_text(encoding="utf-8")) == [cpu]
    assert os.sched_getaffinity(0) != {cpu} or os.cpu_count() == 1, "ours are as they were"


# A script that starts the real server as its child, which no kernel ends with it.
_AROUND = (
    "import subprocess, sys, time; "
    "inner = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'], {options}); "
    "print('here I am', inner.pid, flush=True); {then}"
)
_WAITING = _AROUND.format(options="", then="time.sleep(600)")
_LEAVING = _AROUND.format(options="start_new_session=True", then="")


def pid_within(log: Path) -> int:
    says(log)
    return int(log.read_text(encoding="utf-8").rpartition("here I am ")[2].split()[0])


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has subreapers")
@pytest.mark.parametrize("struck", ["owner", "group"])
def test_a_server_below_a_script_is_gone_when_we_are_killed(log: Path, struck: str) -> None:
    owner = subprocess.Popen(
        [sys.executable, "-c", _OWNER, _WAITING, str(log)],
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    assert owner.stdout is not None
    owner.stdout.readline()
    pid = pid_within(log)
    (os.killpg if struck == "group" else os.kill)(owner.pid, signal.SIGKILL)
    owner.communicate()
    wait_until(lambda: is_gone(pid), "the server below the script is gone")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux kills the children of the killed")
def test_a_server_below_a_script_is_gone_when_its_keeper_was_killed(log: Path) -> None:
    with running(_WAITING, log) as server:
        pid = pid_within(log)
        supervisor = psutil.Process(server.pid).parent()
        assert supervisor is not None
        supervisor.kill()
        assert server.death(DEADLINE_S) is not None
    wait_until(lambda: is_gone(pid), "the server below the script is gone")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has subreapers")
def test_what_a_script_that_ended_left_behind_is_killed(log: Path) -> None:
    with running(_LEAVING, log) as server:
        pid = pid_within(log)
        assert str(server.death(DEADLINE_S)) == "the server ended with exit status 0"
        wait_until(lambda: is_gone(pid), "what it left is gone")
