"""The sampler with GPUs, as a process, over a replayed NVML."""

from __future__ import annotations

import json
import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
from foreign_work import burner, wait_until
from nvml_replay import load_trace

from orket_lib.measure.quality.gpu_verdicts import WatchedGpus
from orket_lib.processes.port_owner import listening_pid
from orket_lib.telemetry.counters import processes
from orket_lib.telemetry.gpu.sampler import PERIOD_S
from orket_lib.telemetry.gpu.samples import GpuRecord, read_gpu_samples
from orket_lib.telemetry.sampler import GpuWatch, read_samples, sampling
from orket_lib.telemetry.sampler_process import Sampler
from orket_lib.vocabulary.reasons import Reason

SITE = Path(__file__).parents[2] / "simulators" / "nvml_site"
CPU_LIMIT = 0.02  # of a core
Replay = Callable[[dict[str, Any]], None]


@pytest.fixture
def replay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Replay:
    """Return what lets processes that are started from now on see a trace in place of a driver."""

    def put(trace: dict[str, Any]) -> None:
        path = tmp_path / "trace.json"
        path.write_text(json.dumps(trace), encoding="utf-8")
        monkeypatch.setenv("ORKET_TEST_NVML_TRACE", str(path))
        paths = [str(SITE), os.environ.get("PYTHONPATH", "")]
        monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, paths)))

    return put


def looks(path: Path) -> int:
    record = read_gpu_samples(path)
    return len(record.samples) if record else 0


def record_in(path: Path) -> GpuRecord:
    record = read_gpu_samples(path)
    assert record is not None
    return record


@pytest.mark.alone
def test_gauges_come_five_times_a_second_and_the_host_as_ever(
    tmp_path: Path, replay: Replay
) -> None:
    replay(load_trace("two_cards"))
    host, gpus = tmp_path / "samples.csv", tmp_path / "gpus.jsonl"
    with sampling(host, None, time.monotonic(), GpuWatch(gpus)):
        assert looks(gpus), "the first look at the GPUs is over when a measurement begins"
        wait_until(lambda: looks(gpus) > 11, "two seconds of looks")
    record = record_in(gpus)
    assert [device.uuid[:8] for device in record.devices] == ["GPU-1111", "GPU-2222"]
    first, last = record.samples[0], record.samples[-1]
    assert last.processes is not None, "the last look is a whole one"
    rate = (len(record.samples) - 1) / (last.at_s - first.at_s)
    assert 2.5 < rate < 6.0, f"{rate:.1f} looks a second on a busy machine"
    samples = read_samples(host)
    assert len(samples) < len(record.samples)
    whole = [item for item in record.samples if item.processes is not None]
    assert len(whole) < len(record.samples) / 2


def test_only_the_gpus_that_are_named_are_watched(tmp_path: Path, replay: Replay) -> None:
    replay(load_trace("two_cards"))
    host, gpus = tmp_path / "samples.csv", tmp_path / "gpus.jsonl"
    with sampling(host, None, time.monotonic(), GpuWatch(gpus, ("GPU-2222",))):
        pass
    (device,) = record_in(gpus).devices
    assert device.index == 1


def test_without_a_gpu_the_record_says_why_and_holds_nothing(
    tmp_path: Path, replay: Replay
) -> None:
    replay({"init": {"error": 12}, "devices": []})
    host, gpus = tmp_path / "samples.csv", tmp_path / "gpus.jsonl"
    with sampling(host, None, time.monotonic(), GpuWatch(gpus)):
        pass
    record = record_in(gpus)
    assert record.absent["nvidia"] == "NO_DRIVER"
    assert record.samples == ()
    assert len(read_samples(host)) >= 2


def test_where_no_gpu_is_to_be_watched_none_is_opened(tmp_path: Path, replay: Replay) -> None:
    replay({"devices": None})  # a driver that breaks whoever opens it
    with sampling(tmp_path / "samples.csv", None, time.monotonic()):
        pass
    assert len(read_samples(tmp_path / "samples.csv")) >= 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["samples.csv", "trace.json"]


def test_a_driver_that_fails_in_its_own_way_costs_the_host_no_sample(
    tmp_path: Path, replay: Replay, capfd: pytest.CaptureFixture[str]
) -> None:
    trace = load_trace("two_cards")
    works_s = 2.0  # long enough for a first look on a busy machine
    trace["devices"][0]["segments"][0] |= {"for_s": works_s}
    trace["devices"][0]["segments"][1]["temperature_c"] = "hot"  # no number that a driver returns
    replay(trace)
    host, gpus = tmp_path / "samples.csv", tmp_path / "gpus.jsonl"
    began = time.monotonic()
    with sampling(host, None, began, GpuWatch(gpus)):
        wait_until(lambda: time.monotonic() > began + works_s, "the driver has failed")
        seen = len(read_samples(host))
        wait_until(lambda: len(read_samples(host)) > seen + 3, "the host is looked at as ever")
        assert 0 < looks(gpus) <= works_s / PERIOD_S + 1
    record = record_in(gpus)
    (found,) = WatchedGpus(record).judge((5.0, 6.0))[1]
    assert found.reason is Reason.TELEMETRY_GAP
    assert "TypeError" in capfd.readouterr().err


def on_card(*processes: dict[str, Any]) -> dict[str, Any]:
    """Return the trace of one card with these processes on it all the time."""
    trace = load_trace("two_cards")
    card = trace["devices"][0]
    card["segments"] = [{**card["segments"][1], "for_s": 600, "processes": list(processes)}]
    return {**trace, "devices": [card]}


def held(pid: int, sm: int = 0) -> dict[str, Any]:
    return {"pid": pid, "used": 1000 << 20, "kind": "C", "sm": sm}


def test_real_processes_are_told_apart_ours_the_server_s_and_a_planted_one(
    tmp_path: Path, replay: Replay
) -> None:
    host, gpus = tmp_path / "samples.csv", tmp_path / "gpus.jsonl"
    with burner(1, 60) as server, burner(1, 60) as foreign:
        replay(on_card(held(server, 60), held(foreign, 40), held(os.getpid()), held(2**22 + 5)))
        with sampling(host, server, time.monotonic(), GpuWatch(gpus)):
            wait_until(lambda: looks(gpus) > 6, "a second list of processes")
            named = psutil.Process(foreign).name()
    record = record_in(gpus)
    (listed,) = record.samples[0].processes or ()
    assert isinstance(listed, tuple)
    assert {item.pid: item.whose for item in listed} == {
        server: "server",
        foreign: "foreign",
        os.getpid(): "ours",
        2**22 + 5: "stranger",
    }
    whole = (record.samples[0].at_s, record.samples[-1].at_s)
    found = WatchedGpus(record).judge(whole)[1]
    evidence = [item.evidence for item in found if item.reason is Reason.FOREIGN_GPU_PROCESS]
    assert len(evidence) == 1
    assert evidence[0].startswith(f"{named} (pid {foreign}): +0 MiB, busy ")


# Listens on a free port of its own choice and writes it down; ends by itself.
_LISTEN = """
import http.server, pathlib, sys, threading
server = http.server.HTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler)
pathlib.Path(sys.argv[1]).write_text(str(server.server_port))
threading.Timer(60, server.shutdown).start()
server.serve_forever()
"""
# The server's parent is gone when this ends, so nothing leads from us to it.
_DETACH = """
import subprocess, sys
silent = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.DEVNULL)
print(subprocess.Popen(sys.argv[1:], start_new_session=True, **silent).pid)
"""


@contextmanager
def stranger_that_listens(folder: Path) -> Iterator[tuple[int, str]]:
    """Start a server that is not our child; yields its pid and its address."""
    port = folder / "port.txt"
    command = [sys.executable, "-c", _LISTEN, str(port)]
    done = subprocess.run(
        [sys.executable, "-c", _DETACH, *command], capture_output=True, text=True, check=True
    )
    pid = int(done.stdout)
    try:
        wait_until(lambda: port.exists() and port.read_text(encoding="ascii"), "it listens")
        yield pid, f"http://127.0.0.1:{port.read_text(encoding='ascii')}"
    finally:
        os.kill(pid, signal.SIGKILL)


def test_a_server_that_we_did_not_start_is_known_by_its_port(
    tmp_path: Path, replay: Replay
) -> None:
    host, gpus = tmp_path / "samples.csv", tmp_path / "gpus.jsonl"
    with stranger_that_listens(tmp_path) as (pid, url):
        found = listening_pid(url)
        assert found == pid
        replay(on_card(held(pid)))
        with sampling(host, found, time.monotonic(), GpuWatch(gpus)):
            pass
    assert whose(gpus) == ["server"]


def test_a_server_that_was_replaced_is_followed(tmp_path: Path, replay: Replay) -> None:
    host, gpus = tmp_path / "samples.csv", tmp_path / "gpus.jsonl"
    with burner(1, 60) as before, burner(1, 60) as after:
        replay(on_card(held(after)))
        with sampling(host, before, time.monotonic(), GpuWatch(gpus)) as running:
            assert whose(gpus) == ["foreign"]
            running.follow(after)
            wait_until(lambda: whose(gpus) == ["server"], "the new server is known")
    times = [item.server_s for item in read_samples(host)]
    assert times == sorted(times), "what the first one used stays used"
    assert times[-1] > times[0]


def whose(path: Path) -> list[str]:
    lists = [item.processes[0] for item in record_in(path).samples if item.processes]
    last = lists[-1]
    assert isinstance(last, tuple)
    return [item.whose for item in last]


def test_a_new_server_s_clock_begins_where_the_other_s_stopped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from orket_lib.telemetry import counters
    from orket_lib.telemetry.counters import Process

    def machine(pid: int, cpu_s: float) -> None:
        table = {pid: Process(pid, 1, "server", cpu_s, 0.0, 1)}
        monkeypatch.setattr(counters, "processes", lambda: table)

    sampler = Sampler(10, 20, 0.0)
    machine(20, 50.0)
    assert sampler.look().server_s == 50.0
    sampler.follow(30)
    machine(30, 7.0)
    assert sampler.look().server_s == 50.0
    machine(30, 9.5)
    assert sampler.look().server_s == 52.5


def look_s(pause_s: float) -> float:
    """Return the CPU time of one look at all processes, after a pause."""
    time.sleep(pause_s)
    begin = time.thread_time()
    processes()
    return time.thread_time() - begin


def on_cpu_s(pid: int) -> float:
    """Return the time that a process was on a CPU.

    By Linux's scheduler, where it tells: the usual times are charged by the tick, a whole one to
    whoever runs just then, and who wakes with the tick pays for it five times a second.
    """
    tasks = Path(f"/proc/{pid}/task")
    files = [task / "schedstat" for task in tasks.iterdir()] if tasks.is_dir() else []
    if files and all(path.is_file() for path in files):
        return sum(int(path.read_text().split()[0]) for path in files) / 1e9
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)


@pytest.mark.alone
def test_the_sampler_costs_less_than_two_percent_of_a_core(
    tmp_path: Path, replay: Replay, capsys: pytest.CaptureFixture[str]
) -> None:
    """CPU time of the sampler at 5 Hz with two cards; the real driver's own calls are not in it.

    Work after a sleep may take several times as long as the same work in a row, because others on
    the host have had the caches meanwhile. How much that is here and now is measured by the
    sampler's own kind of work, and is no cost of ours.
    """
    replay(load_trace("two_cards"))
    host, gpus = tmp_path / "samples.csv", tmp_path / "gpus.jsonl"
    with sampling(host, None, time.monotonic(), GpuWatch(gpus)) as running:
        wait_until(lambda: looks(gpus) > 3, "it has begun")
        begin, before = time.monotonic(), on_cpu_s(running.pid)
        after_sleeps = [look_s(0.2) for _ in range(20)]
        spent, seconds = on_cpu_s(running.pid) - before, time.monotonic() - begin
    in_a_row = [look_s(0.0) for _ in range(20)]
    slower = max(1.0, statistics.median(after_sleeps) / statistics.median(in_a_row))
    taken = record_in(gpus).samples
    with capsys.disabled():
        print(  # noqa: T201
            f"\nsampler: {spent / seconds:.2%} of a core over {seconds:.1f} s at "
            f"{(len(taken) - 1) / (taken[-1].at_s - taken[0].at_s):.1f} looks a second at 2 cards; "
            f"work after a sleep takes {slower:.1f} times as long here",
            file=sys.stderr,
        )
    assert spent / seconds / slower < CPU_LIMIT
