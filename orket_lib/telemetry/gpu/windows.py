"""What happened on the GPUs in a window of time, computed from recorded samples."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from orket_lib.telemetry.devices.reading import HEAT, LOST, Throttle, Value
from orket_lib.telemetry.gpu.samples import GpuRecord, GpuSample, OwnedProcess, Whose
from orket_lib.telemetry.windows import NOT_SAMPLED, window
from orket_lib.vocabulary.nulls import Null, all_of, first_null, known

_UNSEEN = Null("NOT_SEEN_ON_A_GPU")


@dataclass(frozen=True)
class Growth:
    """What a process did on one GPU in a window.

    Attributes:
        pid: As reported by the driver.
        name: `?` for a stranger.
        whose: The owner; a stranger only if no sample knew the owner.
        gained_mib: Growth since the window began; null if the driver reports no memory.
        held_mib: Peak memory.
        busy: Mean share of the time in which its work ran.
        first_s: When it was first seen in the window.
    """

    pid: int
    name: str
    whose: Whose
    gained_mib: Value
    held_mib: Value
    busy: Value
    first_s: float


def used_devices(record: GpuRecord) -> tuple[int, ...]:
    """Return the indexes of the GPUs that the server was seen on; all if it was seen on none.

    If the owners of the processes are unknown, the server may be using any GPU: foreign work on it
    may disturb the server, but its energy is not known to be the server's (`WatchedGpus.counted`).
    """
    seen = {device for device, item in _all_processes(record.lists) if item.whose == "server"}
    return tuple(sorted(seen)) or tuple(range(len(record.devices)))


def server_was_seen(record: GpuRecord) -> bool:
    """Return whether a process of the server was ever listed on a GPU, so that pids match ours."""
    return any(item.whose == "server" for _, item in _all_processes(record.lists))


def never_worked(record: GpuRecord, device: int) -> bool:
    """Return whether a GPU was idle in every sample of the session."""
    loads = [sample.gauges[device].utilization for sample in record.samples]
    return bool(loads) and all(load == 0.0 for load in loads)


def server_vram_peaks(record: GpuRecord) -> tuple[Value, ...]:
    """Return the peak memory of the server's processes up to each list, summed over all GPUs."""
    best: Value = _UNSEEN
    peaks = []
    for look in record.lists:
        held = _held_by_server(look)
        if isinstance(held, Null):
            best = held if isinstance(best, Null) and held != _UNSEEN else best
        else:
            best = held if isinstance(best, Null) else max(best, held)
        peaks.append(best)
    return tuple(peaks)


def server_vram_mib(record: GpuRecord, peaks: Sequence[Value], until_s: float) -> Value:
    """Return the peak memory of the server's processes up to a time.

    Args:
        record: Of the session.
        peaks: From `server_vram_peaks`.
        until_s: The time; the first list after it counts as well.
    """
    if not record.devices:
        return Null("NO_GPU")
    if not peaks:
        return NOT_SAMPLED
    index = bisect_left(record.lists, until_s, key=lambda item: item.at_s)
    return peaks[index] if index < len(peaks) else Null("TELEMETRY_GAP")


def growths(record: GpuRecord, device: int, window_s: tuple[float, float]) -> list[Growth]:
    """Return what each process did on a GPU in a window.

    Growth is relative to the list before the window. If the driver refused that one, it is relative
    to the next: a process on it may have been there before (see `unlisted`).
    """
    looks = window(record.lists, *window_s)
    lists = [
        (look.at_s, {item.pid: item for item in listed})
        for look in looks
        if not isinstance(listed := (look.processes or ())[device], Null)
    ]
    pids = dict.fromkeys(pid for _, processes in lists for pid in processes)
    return [_growth(pid, lists) for pid in pids]


def unlisted(record: GpuRecord, device: int, window_s: tuple[float, float]) -> Null | None:
    """Return why the processes of a GPU in a window are unknown; None if they were listed."""
    looks = window(record.lists, *window_s)
    if not looks:
        return NOT_SAMPLED
    return first_null((look.processes or ())[device] for look in looks)


def unexplained_mib(around: Sequence[GpuSample], device: int, others: Iterable[Growth]) -> Value:
    """Return by how much the used memory of a GPU grew in a window without a known process.

    Args:
        around: The samples of the window.
        device: Index of the GPU.
        others: What its processes did there.
    """
    used = (sample.gauges[device].memory_used_mib for sample in around)
    explained = sum(known(item.gained_mib for item in others))
    return all_of(used, lambda mib: max(0.0, max(mib) - mib[0] - explained), NOT_SAMPLED)


def throttling(
    samples: Sequence[GpuSample], device: int, words: Iterable[Throttle] = HEAT
) -> tuple[Value, frozenset[Throttle]]:
    """Return the share of the samples in which a GPU was throttled by `words`, and by which."""
    readings = [sample.gauges[device].throttle for sample in samples]
    active = [reasons & frozenset(words) for reasons in known(readings)]
    if not active:
        return next(
            (it for it in reversed(readings) if isinstance(it, Null)), NOT_SAMPLED
        ), frozenset()
    return sum(map(bool, active)) / len(active), frozenset().union(*active)


def lost_at_s(samples: Sequence[GpuSample], device: int) -> float | None:
    """Return when a GPU stopped answering; None if it didn't."""
    return next(
        (
            item.at_s
            for item in samples
            if LOST in (item.gauges[device].temperature_c, item.gauges[device].memory_used_mib)
        ),
        None,
    )


def _growth(pid: int, lists: Sequence[tuple[float, Mapping[int, OwnedProcess]]]) -> Growth:
    seen = [processes[pid] for _, processes in lists if pid in processes]
    owned = next((item for item in seen if item.whose != "stranger"), seen[0])
    held: Value = seen[0].used_mib
    gained = held
    numbers = known(item.used_mib for item in seen)
    if numbers:
        before = lists[0][1].get(pid)
        start = before.used_mib if before else 0.0
        held = max(numbers)
        gained = start if isinstance(start, Null) else max(0.0, held - start)
    shares = known(it[pid].utilization if pid in it else 0.0 for _, it in lists[1:])
    return Growth(
        pid,
        owned.name,
        owned.whose,
        gained,
        held,
        sum(shares) / len(shares) if shares else seen[0].utilization,
        next(at_s for at_s, processes in lists if pid in processes),
    )


def _held_by_server(look: GpuSample) -> Value:
    listed = look.processes or ()
    mine = [
        item.used_mib for processes in known(listed) for item in processes if item.whose == "server"
    ]
    return all_of(mine, sum, first_null(listed) or _UNSEEN)


def _all_processes(samples: Iterable[GpuSample]) -> Iterator[tuple[int, OwnedProcess]]:
    for sample in samples:
        for device, listed in enumerate(sample.processes or ()):
            yield from () if isinstance(listed, Null) else ((device, item) for item in listed)
