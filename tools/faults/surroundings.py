"""What else can happen to a sweep: its disk, its clock, its memory, its users; and all kinds."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import resource
import shutil
import signal
import struct
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path

import psutil
from bed import Bed
from invocation import LONGEST_S
from kinds import Around, Kind, Moment, kill_snakemake, processes, signal_kinds

from orket_lib.processes.device_lock import device_lock

_NOBODY = 65534
_HOUR_S = 3600
_DAY_S = 24 * _HOUR_S
_LANG_C = {"LC_ALL": "C", "LANG": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}


def _fill(moment: Moment) -> bool:
    assert moment.bed.disk
    moment.bed.disk.fill()
    return True


@contextmanager
def _emptied(bed: Bed) -> Iterator[Mapping[str, str]]:
    yield {}
    assert bed.disk
    bed.disk.empty()


def _read_only(name: str) -> Kind:
    """Return the kind that mounts a folder of the sweep read-only."""

    def mount(*arguments: object) -> None:
        subprocess.run(["mount", *map(str, arguments)], check=True)

    def strike(moment: Moment) -> bool:
        folder = moment.bed.folder / name
        if folder.is_dir():
            mount("--bind", folder, folder)
            mount("-o", "remount,bind,ro", folder)
        return folder.is_dir()

    @contextmanager
    def around(bed: Bed) -> Iterator[Mapping[str, str]]:
        yield {}
        with contextlib.suppress(OSError):
            if os.statvfs(bed.folder / name).f_flag & os.ST_RDONLY:
                subprocess.run(["umount", "--lazy", str(bed.folder / name)], check=True)

    return Kind(f"read-only-{name.strip('.')}", strike, around, root=True, lasting=True)


def _removed(name: str) -> Kind:
    def strike(moment: Moment) -> bool:
        folder = moment.bed.locks if name == "locks" else moment.bed.folder / name
        there = folder.is_dir()
        shutil.rmtree(folder, ignore_errors=True)
        return there

    return Kind(f"removed-{name.strip('.').replace('/', '-')}", strike, lasting=True)


def _clock(name: str, seconds: int) -> Kind:
    """Return the kind that sets the clock, for the processes of a call and the times of files.

    The clock moves with the times of all files (`clock.c`), so those that are there are moved back.
    Without a C compiler only the files' times show that the clock was set.
    """

    def strike(moment: Moment) -> bool:
        with (moment.bed.base / "clock").open("r+b") as stream:
            stream.write(struct.pack("q", seconds))
        for path in moment.bed.folder.rglob("*"):
            with contextlib.suppress(OSError):
                if not path.is_symlink():
                    found = path.stat()
                    os.utime(path, (found.st_atime - seconds, found.st_mtime - seconds))
        return True

    @contextmanager
    def around(bed: Bed) -> Iterator[Mapping[str, str]]:
        clock, library = bed.base / "clock", bed.base / "clock.so"
        clock.write_bytes(struct.pack("q", 0))
        compiler = shutil.which("cc")
        if compiler:
            source = Path(__file__).with_name("clock.c")
            command = [compiler, "-shared", "-fPIC", "-o", str(library), str(source)]
            subprocess.run(command, check=True)
        yield {"LD_PRELOAD": str(library) if compiler else "", "FAULTS_CLOCK": str(clock)}

    return Kind(f"clock-{name}", strike, around, lasting=True, days=seconds > _DAY_S)


def _starve(moment: Moment) -> bool:
    """Let the server have no more memory than it has now: its next allocation fails."""
    for process in processes(moment, "server"):
        with contextlib.suppress(psutil.Error, ProcessLookupError):
            limit = process.memory_info().vms
            resource.prlimit(process.pid, resource.RLIMIT_AS, (limit, limit))
            return True
    return False


def memory_group() -> Path | None:
    """Return the folder of our control group of memory (version 1); None where there is none."""
    if not Path("/proc/self/cgroup").is_file():
        return None
    for line in Path("/proc/self/cgroup").read_text(encoding="utf-8").splitlines():
        _, kinds, path = line.split(":", 2)
        if kinds == "memory":
            return Path(f"/sys/fs/cgroup/memory{path}")
    return None


def _kill_by_kernel(moment: Moment) -> bool:
    """Move the server to a control group without memory: the kernel's OOM killer ends it."""
    for process in processes(moment, "server"):
        group = moment_group(moment.bed)
        group.mkdir(exist_ok=True)
        (group / "memory.limit_in_bytes").write_text("65536")
        with contextlib.suppress(OSError):
            (group / "cgroup.procs").write_text(str(process.pid))
            return True
    return False


def moment_group(bed: Bed) -> Path:
    """Return the folder of a control group for the server of a sweep."""
    above = memory_group()
    assert above
    return above / f"faults-{os.getpid()}-{bed.base.name}"


@contextmanager
def _ungrouped(bed: Bed) -> Iterator[Mapping[str, str]]:
    yield {}
    with contextlib.suppress(OSError):
        moment_group(bed).rmdir()


def _hold_as_nobody(bed: Bed, ready: object) -> None:
    """Measure on the CPU as another user, until the end."""
    os.setgroups([])
    os.setgid(_NOBODY)
    os.setuid(_NOBODY)
    os.environ["ORKET_LOCK_DIR"] = str(bed.locks)
    with device_lock("cpu", "measuring of another user", print):
        ready.set()  # type: ignore[attr-defined]
        time.sleep(LONGEST_S)


@contextmanager
def _held_by_nobody(bed: Bed) -> Iterator[Mapping[str, str]]:
    """Let another user hold the device, in the folder of locks that root made with a umask."""
    before = os.umask(0o077)
    os.environ["ORKET_LOCK_DIR"] = str(bed.locks)
    try:
        with device_lock("cpu", "root's turn", print):
            pass
        context = multiprocessing.get_context("fork")
        ready = context.Event()
        holder = context.Process(target=_hold_as_nobody, args=(bed, ready), daemon=True)
        holder.start()
        (bed.base / "holder").write_text(str(holder.pid), encoding="utf-8")
        if not ready.wait(30):
            raise RuntimeError("another user can't take the lock that root has left")
        yield {}
    finally:
        os.umask(before)
        holder.kill()
        holder.join()


def _kill_holder(moment: Moment) -> bool:
    if "waiting for the cpu" not in moment.bed.log.read_text(encoding="utf-8", errors="replace"):
        return False
    os.kill(int((moment.bed.base / "holder").read_text(encoding="utf-8")), signal.SIGKILL)
    return True


@contextmanager
def _masked(bed: Bed) -> Iterator[Mapping[str, str]]:
    before = os.umask(0o077)
    try:
        yield {}
    finally:
        os.umask(before)


def _with(**env: str) -> Around:
    return lambda bed: nullcontext(env)


@contextmanager
def _moved_after(bed: Bed) -> Iterator[Mapping[str, str]]:
    yield {}
    bed.move()


KINDS = {
    kind.name: kind
    for kind in (
        *signal_kinds(),
        Kind("full-disk", _fill, _emptied, root=True),
        *map(_read_only, ("results", "storage", "logs", ".snakemake")),
        *map(_removed, ("results", "logs", ".snakemake", "storage/server_facts", "locks")),
        _clock("1h-forth", _HOUR_S),
        _clock("1h-back", -_HOUR_S),
        _clock("400d-forth", 400 * _DAY_S),
        Kind("starved-server", _starve, measuring=True, lasting=True),
        *(
            [Kind("oom-server", _kill_by_kernel, _ungrouped, True, root=True)]
            if memory_group()
            else []
        ),
        Kind("another-user", _kill_holder, _held_by_nobody, root=True, lasting=True),
        Kind("umask-077", kill_snakemake, _masked),
        Kind("no-home", kill_snakemake, _with(HOME="", XDG_CACHE_HOME="", USER="", LOGNAME="")),
        Kind(
            "lang-c",
            kill_snakemake,
            _with(**_LANG_C),
        ),
        Kind("moved", kill_snakemake, _moved_after),
    )
}
