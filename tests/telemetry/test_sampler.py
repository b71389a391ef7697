"""The sampler as it runs: a process of its own."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from io import FileIO
from pathlib import Path

import psutil
import pytest
from foreign_work import BURNER, burner, is_alive, wait_until

from orket_lib.telemetry import counters, sampler, windows
from orket_lib.telemetry.counters import Process
from orket_lib.telemetry.sampler import read_samples, sampling
from orket_lib.telemetry.sampler_process import PERIOD_S, NotWritten, Sampler, write
from orket_lib.vocabulary.errors import SamplerError
from orket_lib.vocabulary.nulls import Null


def start(path: Path) -> subprocess.Popen[str]:
    """Start a sampler by hand."""
    child = subprocess.Popen(
        [sys.executable, "-m", "orket_lib.telemetry.sampler_process"],
        stdin=subprocess.PIPE,
        text=True,
    )
    assert child.stdin is not None
    settings = {
        "path": str(path),
        "root_pid": os.getpid(),
        "server_pid": None,
        "origin_s": time.monotonic(),
    }
    child.stdin.write(json.dumps(settings) + "\n")
    child.stdin.flush()
    return child


def test_a_sampler_ends_with_its_input_and_looks_once_more(tmp_path: Path) -> None:
    path = tmp_path / "samples.csv"
    child = start(path)
    wait_until(lambda: len(read_samples(path)) >= 3, "three samples")
    assert child.stdin is not None
    before = read_samples(path)
    child.stdin.close()
    assert child.wait(timeout=10) == 0
    samples = read_samples(path)
    assert samples[: len(before)] == before
    assert len(samples) > len(before)
    gaps = windows.longest_gap_s(samples)
    assert not isinstance(gaps, Null)
    assert gaps >= PERIOD_S * 0.9
    assert path.read_bytes().endswith(b"\n")


@pytest.mark.skipif(os.name == "nt", reason="SIGKILL is POSIX")
def test_a_sampler_does_not_outlive_a_killed_measurement(tmp_path: Path) -> None:
    path = tmp_path / "samples.csv"
    code = (
        "import sys, time\n"
        "from pathlib import Path\n"
        "from orket_lib.telemetry.sampler import sampling\n"
        "with sampling(Path(sys.argv[1]), None, time.monotonic()):\n"
        "    sys.stdin.read()\n"
    )
    harness = subprocess.Popen([sys.executable, "-c", code, str(path)], stdin=subprocess.PIPE)
    assert harness.stdin is not None
    with harness, harness.stdin:
        wait_until(lambda: read_samples(path), "the first sample")
        (sampler,) = psutil.Process(harness.pid).children()
        os.kill(harness.pid, signal.SIGKILL)
        wait_until(lambda: not is_alive(sampler.pid), "the sampler ended", timeout_s=10)
    assert read_samples(path), "what it saw is kept"


def test_a_window_of_watching_begins_before_and_ends_after_the_work(tmp_path: Path) -> None:
    path, origin = tmp_path / "samples.csv", time.monotonic()
    with sampling(path, None, origin):
        begin = time.monotonic() - origin
        end = time.monotonic() - origin
    samples = read_samples(path)
    assert samples[0].at_s <= begin
    assert samples[-1].at_s >= end
    assert len(samples) >= 2


@pytest.mark.timed
def test_a_foreign_process_is_told_from_ours_and_named(tmp_path: Path) -> None:
    path, origin = tmp_path / "samples.csv", time.monotonic()
    cores = psutil.cpu_count() or 1
    with sampling(path, None, origin), burner(cores) as pid:
        ours = {os.getpid(), *(child.pid for child in psutil.Process().children())}
        begin = read_samples(path)[-1].at_s
        wait_until(lambda: read_samples(path)[-1].at_s > begin + 1.5, "1.5 s of burning")
        # Others may work on this machine as well, and be worse for a moment.
        wait_until(lambda: pid in {item.top_pid for item in read_samples(path)}, "it is named")
    samples = read_samples(path)
    burning = [item for item in samples if begin <= item.at_s <= begin + 1.5]
    share = windows.foreign_cpu_ratio(burning, cores)
    assert not isinstance(share, Null)
    assert share > 0.25
    named = [item for item in samples if item.top_pid == pid]
    assert windows.culprit([samples[0], *named]).startswith("mostly ")
    assert f"(pid {pid}, " in windows.culprit([samples[0], *named])
    if sys.platform == "linux":
        assert {item.top_name for item in named} == {BURNER}
    assert ours.isdisjoint({item.top_pid for item in samples})


def test_a_sampler_that_can_not_write_is_an_error_that_names_its_file(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "no such folder" / "samples.csv"
    with (
        pytest.raises(SamplerError, match=r"no such folder/samples\.csv: No such file"),
        sampling(path, None, time.monotonic()),
    ):
        pytest.fail("measured without being watched")
    assert "Traceback" not in capfd.readouterr().err


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux has a file that is always full")
def test_samples_that_find_no_room_are_an_error_and_no_silence() -> None:
    with (
        FileIO("/dev/full", "w") as stream,
        pytest.raises(NotWritten, match="/dev/full: No space left on device"),
    ):
        write(stream, "a line\n")


def test_a_folder_that_is_removed_before_the_first_sample_is_an_error(tmp_path: Path) -> None:
    folder = tmp_path / "storage"
    folder.mkdir()
    path = folder / "samples.csv"

    def remove() -> None:
        while not path.exists():
            time.sleep(0.001)
        shutil.rmtree(folder)

    remover = threading.Thread(target=remove)
    remover.start()
    with (
        pytest.raises(SamplerError, match=r"samples\.csv: was removed while it was written"),
        sampling(path, None, time.monotonic()),
    ):
        pytest.fail("measured without being watched")
    remover.join()


# One look after the other, at a machine made by hand.

ME, SERVER, OTHER = 10, 20, 30


def machine(monkeypatch: pytest.MonkeyPatch, *processes: tuple[int, int, float, float]) -> None:
    """Let the next look see these processes: pid, parent, own CPU time, that of its dead."""
    table = {
        pid: Process(pid, ppid, f"p{pid}", cpu_s, reaped_s, 1)
        for pid, ppid, cpu_s, reaped_s in processes
    }
    monkeypatch.setattr(counters, "processes", lambda: table)


def test_the_server_is_not_counted_among_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    machine(monkeypatch, (ME, 1, 2.0, 0.5), (SERVER, ME, 7.0, 0.0), (OTHER, 1, 90.0, 0.0))
    sample = Sampler(ME, SERVER, 0.0).look()
    assert (sample.own_s, sample.server_s) == (2.5, 7.0)
    assert (sample.own_rss, sample.server_rss) == (1, 1)


def test_a_server_that_died_keeps_its_time_and_gives_none_of_it_to_us(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sampler = Sampler(ME, SERVER, 0.0)
    machine(monkeypatch, (ME, 1, 2.0, 0.0), (SERVER, ME, 7.0, 0.0))
    alive = sampler.look()
    machine(monkeypatch, (ME, 1, 2.5, 7.0))
    dead = sampler.look()
    assert (alive.own_s, alive.server_s) == (2.0, 7.0)
    assert (dead.own_s, dead.server_s) == (2.5, 7.0)


def test_a_server_of_somebody_else_that_died_leaves_us_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sampler = Sampler(ME, SERVER, 0.0)
    machine(monkeypatch, (ME, 1, 2.0, 0.0), (SERVER, 1, 7.0, 0.0))
    sampler.look()
    machine(monkeypatch, (ME, 1, 2.5, 0.0))
    dead = sampler.look()
    assert (dead.own_s, dead.server_s) == (2.5, 7.0)


def test_the_worst_is_who_used_most_since_the_last_look(monkeypatch: pytest.MonkeyPatch) -> None:
    sampler = Sampler(ME, SERVER, 0.0)
    machine(monkeypatch, (ME, 1, 1.0, 0.0), (SERVER, ME, 1.0, 0.0), (30, 1, 90.0, 0), (31, 1, 1, 0))
    assert sampler.look().top_pid is None, "nothing to compare with"
    machine(monkeypatch, (ME, 1, 9.0, 0.0), (SERVER, ME, 9.0, 0.0), (30, 1, 90.1, 0), (31, 1, 2, 0))
    second = sampler.look()
    assert (second.top_pid, second.top_name, second.top_s) == (31, "p31", 1.0)
    third = sampler.look()
    assert (third.top_pid, third.top_name, third.top_s) == (None, None, None)


def test_a_first_sample_that_never_comes_is_an_error_in_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sampler, "_FIRST_SAMPLE_S", 0.3)
    monkeypatch.setattr(sampler, "read_samples", lambda _: [])
    with (
        pytest.raises(SamplerError, match=r"samples\.csv: the sampler wrote nothing within 0\.3 s"),
        sampling(tmp_path / "samples.csv", None, time.monotonic()),
    ):
        pass
