"""Raw counters of the host and its processes, read as cheaply as possible.

Values are cumulative or momentary; differences and shares are computed later, from recorded
samples. A counter that the system doesn't have is None, never 0.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from orket_lib.telemetry.allowance.cpus import parse_cpus

_PROC = Path("/proc")
_SYS = Path("/sys")
# Sensors of the processor. Disks, network cards, GPUs and the board's own chip (whose unconnected
# pins read 127 degrees) have sensors too, but not of the CPU.
_CPU_CHIPS = ("coretemp", "k10temp", "zenpower", "cpu_thermal")
_CPU_ZONES = ("x86_pkg_temp", "cpu", "soc")
_TICKS = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100
_PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096


@dataclass(frozen=True)
class Process:
    """One process at one moment.

    Attributes:
        cpu_s: User and system time so far.
        reaped_s: CPU time of children that it has waited for; added when a child ends.
        rss: Resident memory, bytes.
    """

    pid: int
    ppid: int
    name: str
    cpu_s: float
    reaped_s: float
    rss: int


@dataclass(frozen=True)
class Host:
    """The machine at one moment; counters since boot.

    Attributes:
        busy_s: User, nice and system time of the CPUs that we may use.
        steal_s: Of these CPUs, time that the hypervisor gave to other guests.
        load_1min: Load average; None if we may not use all CPUs, because it covers the others too.
        swapped: Bytes swapped in and out.
        used_rss: Memory in use, bytes.
    """

    busy_s: float
    steal_s: float | None
    load_1min: float | None
    swapped: int | None
    used_rss: int
    psi_cpu_some_us: int | None
    psi_memory_full_us: int | None
    frequency_mhz: float | None
    temperature_c: float | None
    energy_uj: int | None


def host(allowed: frozenset[int] | None = None) -> Host:
    """Return the machine's counters now.

    Args:
        allowed: Logical CPUs that we may use; None = all. What others do on the rest of a shared
            machine is no disturbance (T33).
    """
    times = _times(allowed)
    memory = psutil.virtual_memory()
    steal = [item.steal for item in times if hasattr(item, "steal")]
    shared = allowed is not None or not hasattr(os, "getloadavg")
    return Host(
        busy_s=sum(it.user + it.system + getattr(it, "nice", 0.0) for it in times),
        steal_s=sum(steal) if steal else None,
        load_1min=None if shared else os.getloadavg()[0],
        swapped=_swapped(),
        used_rss=memory.total - memory.available,
        psi_cpu_some_us=_pressure("cpu", "some"),
        psi_memory_full_us=_pressure("memory", "full"),
        frequency_mhz=_frequency(),
        temperature_c=cpu_temperature_c(),
        energy_uj=_energy(),
    )


def _times(allowed: frozenset[int] | None) -> list[Any]:
    """Return CPU times: those of the whole machine, or those of each allowed CPU."""
    if allowed is None:
        return [psutil.cpu_times()]
    each = psutil.cpu_times(percpu=True)
    online = sorted(parse_cpus(_word(_SYS / "devices/system/cpu/online"))) or range(len(each))
    return [times for cpu, times in zip(online, each, strict=False) if cpu in allowed]


def processes() -> dict[int, Process]:
    """Return all processes that can be seen, by pid."""
    found = _linux_processes() if sys.platform == "linux" else _other_processes()
    return {process.pid: process for process in found}


def tree(root: int, table: dict[int, Process]) -> set[int]:
    """Return the pids of a process and all its descendants."""
    children: dict[int, list[int]] = {}
    for item in table.values():
        children.setdefault(item.ppid, []).append(item.pid)
    found, waiting = set(), [root] if root in table else []
    while waiting:
        pid = waiting.pop()
        found.add(pid)
        waiting += [child for child in children.get(pid, ()) if child not in found]
    return found


def snakemakes_above(process: psutil.Process) -> list[psutil.Process]:
    """Return the Snakemake processes above a process, the innermost first."""
    return [parent for parent in process.parents() if _is_snakemake(parent)]


def _is_snakemake(process: psutil.Process) -> bool:
    try:
        words = process.cmdline()
    except psutil.Error:
        return False
    # `python .../bin/snakemake ...` or `python -m snakemake ...`; a shell that runs our rule may
    # mention Snakemake in its text without being Snakemake.
    return any(Path(word).stem == "snakemake" for word in words[:3])


def _linux_processes() -> Iterator[Process]:
    with os.scandir(_PROC) as entries:
        for entry in entries:
            if entry.name.isdigit():
                try:
                    yield _parse_stat(Path(entry.path, "stat").read_bytes())
                except OSError:
                    continue  # it ended in the meantime


def _parse_stat(stat: bytes) -> Process:
    """Parse `/proc/<pid>/stat`; the name is in parentheses and may contain any character."""
    start, end = stat.index(b"("), stat.rindex(b")")
    fields = stat[end + 2 :].split()
    return Process(
        pid=int(stat[:start]),
        ppid=int(fields[1]),
        name=stat[start + 1 : end].decode(errors="replace"),
        cpu_s=(int(fields[11]) + int(fields[12])) / _TICKS,
        reaped_s=(int(fields[13]) + int(fields[14])) / _TICKS,
        rss=int(fields[21]) * _PAGE,
    )


def _other_processes() -> Iterator[Process]:
    for item in psutil.process_iter(["pid", "ppid", "name", "cpu_times", "memory_info"]):
        info = item.info
        if info["cpu_times"] and info["memory_info"]:
            yield Process(
                pid=info["pid"],
                ppid=info["ppid"] or 0,
                name=info["name"] or "?",
                cpu_s=info["cpu_times"].user + info["cpu_times"].system,
                reaped_s=getattr(info["cpu_times"], "children_user", 0.0)
                + getattr(info["cpu_times"], "children_system", 0.0),
                rss=info["memory_info"].rss,
            )


def _swapped() -> int | None:
    try:
        pages = dict(
            line.split() for line in (_PROC / "vmstat").read_text(encoding="ascii").splitlines()
        )
        return (int(pages["pswpin"]) + int(pages["pswpout"])) * _PAGE
    except (OSError, KeyError, ValueError):
        return None


def _pressure(resource: str, share: str) -> int | None:
    """Return the total stall time of a resource in microseconds, where the kernel keeps it."""
    try:
        lines = (_PROC / "pressure" / resource).read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    totals = (line.rpartition("total=")[2] for line in lines if line.startswith(share))
    return next((int(total) for total in totals), None)


def _frequency() -> float | None:
    """Return the mean frequency of the cores in MHz; most virtual machines have none."""
    paths = Path("/sys/devices/system/cpu").glob("cpu[0-9]*/cpufreq/scaling_cur_freq")
    values = [value for path in paths if (value := _integer(path)) is not None]
    return sum(values) / len(values) / 1000 if values else None


def cpu_temperature_c() -> float | None:
    """Return the hottest sensor of the processor in degrees Celsius; None where none is known."""
    values = [value for path in _cpu_sensors() if (value := _integer(path)) is not None]
    plausible = [value / 1000 for value in values if 0 < value < 150_000]
    return max(plausible, default=None)


def _cpu_sensors() -> Iterator[Path]:
    for zone in (_SYS / "class" / "thermal").glob("thermal_zone*"):
        if _word(zone / "type").startswith(_CPU_ZONES):
            yield zone / "temp"
    for chip in (_SYS / "class" / "hwmon").glob("hwmon*"):
        if _word(chip / "name") in _CPU_CHIPS:
            yield from chip.glob("temp*_input")


def _energy() -> int | None:
    """Return the CPU packages' energy (RAPL) in microjoules; often only root may read it."""
    paths = list(Path("/sys/class/powercap").glob("intel-rapl:[0-9]/energy_uj"))
    known = [value for path in paths if (value := _integer(path)) is not None]
    # The energy of some packages would look like the energy of all.
    return sum(known) if known and len(known) == len(paths) else None


def _word(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace").strip().lower()
    except OSError:
        return ""


def _integer(path: Path) -> int | None:
    try:
        return int(path.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None
