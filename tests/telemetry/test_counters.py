from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from foreign_work import wait_until

from orket_lib.telemetry import counters
from orket_lib.telemetry.counters import Process

TICKS, PAGE = counters._TICKS, counters._PAGE
linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


def stat(name: bytes = b"python") -> bytes:
    """Return `/proc/<pid>/stat` as the kernel writes it; field numbers as in proc(5)."""
    fields = [b"%d" % number for number in range(3, 53)]
    fields[0] = b"S"
    fields[4 - 3] = b"17"  # ppid
    fields[14 - 3], fields[15 - 3] = b"300", b"50"  # utime, stime
    fields[16 - 3], fields[17 - 3] = b"20", b"5"  # cutime, cstime
    fields[24 - 3] = b"1000"  # rss
    return b"4242 (" + name + b") " + b" ".join(fields) + b"\n"


@pytest.mark.parametrize(
    "name",
    [
        b"python",
        b"tmux: server",
        b"a) S 1 (b",
        b")",
        b"((x))",
        b"1 (2) 3",
        b"",
        b" ",
        b"new\nline",
        "gr\u00fcn".encode(),
    ],
)
def test_a_process_is_parsed_whatever_its_name_holds(name: bytes) -> None:
    assert counters._parse_stat(stat(name)) == Process(
        pid=4242,
        ppid=17,
        name=name.decode(),
        cpu_s=350 / TICKS,
        reaped_s=25 / TICKS,
        rss=1000 * PAGE,
    )


def test_a_name_that_is_no_utf_8_is_still_a_name() -> None:
    assert counters._parse_stat(stat(b"\xff\xfe")).name == "\N{REPLACEMENT CHARACTER}" * 2


@linux
def test_a_real_process_with_a_wicked_name_is_found() -> None:
    code = (
        "import ctypes, sys\n"
        "ctypes.CDLL(None).prctl(15, b'a) R 1 (b')\n"
        "print(flush=True)\n"
        "sys.stdin.read()\n"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert child.stdin is not None
    assert child.stdout is not None
    with child, child.stdout, child.stdin:
        child.stdout.readline()
        found = counters.processes()[child.pid]
        child.stdin.close()
    assert found.name == "a) R 1 (b"
    assert found.rss > 1_000_000


def process(pid: int, ppid: int) -> Process:
    return Process(pid, ppid, "p", 1.0, 0.0, 1)


def test_a_tree_is_a_process_with_all_its_descendants() -> None:
    table = {p.pid: p for p in (process(1, 0), process(2, 1), process(3, 2), process(4, 1))}
    assert counters.tree(2, table) == {2, 3}
    assert counters.tree(1, table) == {1, 2, 3, 4}
    assert counters.tree(99, table) == set()


def test_a_ring_of_parents_is_no_endless_loop() -> None:
    table = {p.pid: p for p in (process(1, 3), process(2, 1), process(3, 2))}
    assert counters.tree(1, table) == {1, 2, 3}


def test_all_processes_are_seen_and_this_one_uses_time() -> None:
    import os

    pid = os.getpid()
    before = counters.processes()[pid].cpu_s
    wait_until(lambda: counters.processes()[pid].cpu_s > before, "the clock of this process moves")


@linux
def test_the_time_of_a_child_moves_to_its_parent_when_it_ends() -> None:
    import os

    before = counters.processes()[os.getpid()].reaped_s
    code = "import time\nend = time.process_time() + 0.3\nwhile time.process_time() < end: pass"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
    assert counters.processes()[os.getpid()].reaped_s - before >= 0.29


@pytest.fixture
def proc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty folder that replaces /proc."""
    (tmp_path / "pressure").mkdir()
    monkeypatch.setattr(counters, "_PROC", tmp_path)
    return tmp_path


PSI = (
    "some avg10=0.00 avg60=0.00 avg300=0.00 total=123\n"
    "full avg10=0.00 avg60=0.00 avg300=0.00 total=45\n"
)


def test_pressure_is_the_total_of_the_line_that_was_asked_for(proc: Path) -> None:
    (proc / "pressure" / "memory").write_text(PSI, encoding="ascii")
    assert counters._pressure("memory", "some") == 123
    assert counters._pressure("memory", "full") == 45


def test_pressure_that_the_kernel_does_not_keep_is_none_and_not_zero(proc: Path) -> None:
    (proc / "pressure" / "cpu").write_text(PSI.splitlines()[0] + "\n", encoding="ascii")
    assert counters._pressure("cpu", "full") is None
    assert counters._pressure("io", "some") is None


@pytest.mark.parametrize(
    ("text", "pages"),
    [
        pytest.param("pgpgin 9\npswpin 3\npswpout 4\n", 7, id="both"),
        pytest.param("pswpin 0\npswpout 0\n", 0, id="a real zero"),
        pytest.param("pswpin 3\n", None, id="half"),
        pytest.param("pswpin three\npswpout 4\n", None, id="no number"),
        pytest.param("", None, id="empty"),
        pytest.param(None, None, id="no file"),
    ],
)
def test_swap_is_the_sum_of_both_ways_or_none(
    proc: Path, text: str | None, pages: int | None
) -> None:
    if text is not None:
        (proc / "vmstat").write_text(text, encoding="ascii")
    assert counters._swapped() == (None if pages is None else pages * PAGE)


def sensors(root: Path, monkeypatch: pytest.MonkeyPatch, *readings: tuple[str, str, int]) -> None:
    """Show sensors as the kernel does: kind of place (zone or chip), its name, what it reads."""
    for number, (place, name, millidegrees) in enumerate(readings):
        zone = place == "zone"
        folder = root / "class" / ("thermal" if zone else "hwmon")
        folder /= f"{'thermal_zone' if zone else 'hwmon'}{number}"
        folder.mkdir(parents=True)
        (folder / ("type" if zone else "name")).write_text(f"{name}\n", encoding="ascii")
        reading = folder / ("temp" if zone else "temp1_input")
        reading.write_text(f"{millidegrees}\n", encoding="ascii")
    monkeypatch.setattr(counters, "_SYS", root)


OTHERS = (
    ("chip", "nvme", 71_000),
    ("chip", "iwlwifi_1", 68_000),
    ("chip", "amdgpu", 88_000),
    ("chip", "nct6798", 127_000),  # a pin without a sensor
    ("chip", "acpitz", 95_000),
    ("zone", "acpitz", 95_000),
    ("zone", "iwlwifi_1", 68_000),
    ("zone", "pch_cannonlake", 78_000),
)


@pytest.mark.parametrize(
    "own",
    [
        ("chip", "coretemp"),
        ("chip", "k10temp"),
        ("chip", "zenpower"),
        ("chip", "cpu_thermal"),
        ("zone", "x86_pkg_temp"),
        ("zone", "cpu-thermal"),
        ("zone", "CPU-therm"),
        ("zone", "soc_thermal"),
    ],
)
def test_the_cpu_s_temperature_is_that_of_the_cpu(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, own: tuple[str, str]
) -> None:
    sensors(tmp_path, monkeypatch, *OTHERS, (*own, 47_000))
    assert counters.cpu_temperature_c() == 47.0
    assert counters.host().temperature_c == 47.0


def test_of_several_sensors_of_the_cpu_the_hottest_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sensors(tmp_path, monkeypatch, ("chip", "coretemp", 51_000), ("chip", "coretemp", 62_000))
    assert counters.cpu_temperature_c() == 62.0


@pytest.mark.parametrize("readings", [OTHERS, ()], ids=["only others", "nothing"])
def test_no_sensor_of_the_cpu_is_no_temperature(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, readings: tuple[tuple[str, str, int], ...]
) -> None:
    sensors(tmp_path, monkeypatch, *readings)
    assert counters.cpu_temperature_c() is None


@pytest.mark.parametrize(
    "reader", [counters._frequency, counters.cpu_temperature_c, counters._energy]
)
def test_a_sensor_that_can_not_be_read_is_none_and_not_zero(
    monkeypatch: pytest.MonkeyPatch, reader: object
) -> None:
    monkeypatch.setattr(counters, "_integer", lambda _: None)
    assert callable(reader)
    assert reader() is None


def test_a_file_without_a_number_is_none(tmp_path: Path) -> None:
    path = tmp_path / "temp1_input"
    assert counters._integer(path) is None
    path.write_text("hot\n", encoding="ascii")
    assert counters._integer(path) is None
    path.write_text("42000\n", encoding="ascii")
    assert counters._integer(path) == 42000


def test_the_host_has_counters_that_move() -> None:
    first = counters.host()
    wait_until(lambda: counters.host().busy_s > first.busy_s, "the machine's clock moves")
    assert first.used_rss > 0
