"""What happened on the GPUs in a window of time, from recorded samples; pure, as `windows` is."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from orket_lib.telemetry.devices.reading import HEAT, LOST, Throttle, Value
from orket_lib.telemetry.gpu.samples import GpuRecord, GpuSample, OwnedProcess, Whose
from orket_lib.telemetry.windows import NOT_SAMPLED, window
from orket_lib.vocabulary.nulls import Null

_UNSEEN = Null("NOT_SEEN_ON_A_GPU")


@dataclass(frozen=True)
class Growth:
    """What a process did on one GPU in a window.

    Attributes:
        pid: As the driver says.
        name: `?` for a stranger.
        whose: As well as it could ever be told.
        gained_mib: More than it held when the window began; null where the driver tells no memory.
        held_mib: At most.
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
    """Return the places of the GPUs that the server was seen on; all where it was on none.

    Where nobody can say whose the processes are, it may be using any of them: what happens there
    may disturb it, but what they take is not known to be its own (`WatchedGpus.counted`).
    """
    seen = {device for device, item in _all_processes(record.lists) if item.whose == "server"}
    return tuple(sorted(seen)) or tuple(range(len(record.devices)))


def server_was_seen(record: GpuRecord) -> bool:
    """Tell whether a process of the server was ever on a GPU, so that pids mean what they say."""
    return any(item.whose == "server" for _, item in _all_processes(record.lists))


def never_worked(record: GpuRecord, device: int) -> bool:
    """Tell whether a GPU says that nothing ran on it at any look of the session."""
    told = [sample.gauges[device].utilization for sample in record.samples]
    return bool(told) and all(value == 0.0 for value in told)


def server_vram_peaks(record: GpuRecord) -> tuple[Value, ...]:
    """Return the most that the server's processes held so far, all GPUs together, list by list."""
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
    """Return the most that the server's processes held until a time.

    Args:
        record: Of the session.
        peaks: As `server_vram_peaks` has them.
        until_s: The list that comes next after this counts, too.
    """
    if not record.devices:
        return Null("NO_GPU")
    if not peaks:
        return NOT_SAMPLED
    place = bisect_left(record.lists, until_s, key=lambda item: item.at_s)
    return peaks[place] if place < len(peaks) else Null("TELEMETRY_GAP")


def growths(record: GpuRecord, device: int, window_s: tuple[float, float]) -> list[Growth]:
    """Return what each process did on a GPU in a window.

    The list before the window counts, too: to compare with. Where the driver refused that one, the
    next one is compared with: who is on it may have been there before (`unlisted` tells).
    """
    looks = window(record.lists, *window_s)
    told = [look for look in looks if not _is_refused(look, device)]
    listed = [_by_pid(look, device) for look in told]
    pids = dict.fromkeys(pid for processes in listed for pid in processes)
    return [_growth(pid, told, listed) for pid in pids]


def unlisted(record: GpuRecord, device: int, window_s: tuple[float, float]) -> Null | None:
    """Return why nobody can say who was on a GPU in a window; None when they were listed."""
    looks = window(record.lists, *window_s)
    if not looks:
        return NOT_SAMPLED
    for look in looks:
        listed = (look.processes or ())[device]
        if isinstance(listed, Null):
            return listed
    return None


def unexplained_mib(around: Sequence[GpuSample], device: int, others: Iterable[Growth]) -> Value:
    """Return how much more of a GPU was in use in a window than its processes account for.

    Args:
        around: The samples of the window.
        device: Place of the GPU.
        others: What its processes did there.
    """
    used = [sample.gauges[device].memory_used_mib for sample in around]
    unread = next((value for value in used if isinstance(value, Null)), None)
    if unread or not used:
        return unread or NOT_SAMPLED
    numbers = [value for value in used if not isinstance(value, Null)]
    gains = [item.gained_mib for item in others]
    known = sum(gain for gain in gains if not isinstance(gain, Null))
    return max(0.0, max(numbers) - numbers[0] - known)


def throttling(
    samples: Sequence[GpuSample], device: int, words: Iterable[Throttle] = HEAT
) -> tuple[Value, frozenset[Throttle]]:
    """Return in which share of the samples a GPU was slowed by one of these, and by which."""
    wanted, seen, slow, told = frozenset(words), frozenset[Throttle](), 0, 0
    unread: Null = NOT_SAMPLED
    for sample in samples:
        reasons = sample.gauges[device].throttle
        if isinstance(reasons, Null):
            unread = reasons
            continue
        told += 1
        slow += bool(reasons & wanted)
        seen |= reasons & wanted
    return (slow / told if told else unread), seen


def lost_at_s(samples: Sequence[GpuSample], device: int) -> float | None:
    """Return when a GPU stopped to answer; None when it didn't."""
    return next(
        (
            item.at_s
            for item in samples
            if LOST in (item.gauges[device].temperature_c, item.gauges[device].memory_used_mib)
        ),
        None,
    )


def _growth(
    pid: int, looks: Sequence[GpuSample], listed: Sequence[Mapping[int, OwnedProcess]]
) -> Growth:
    seen = [processes[pid] for processes in listed if pid in processes]
    told = next((item for item in seen if item.whose != "stranger"), seen[0])
    held: Value = seen[0].used_mib
    gained = held
    numbers = [item.used_mib for item in seen if not isinstance(item.used_mib, Null)]
    if numbers:
        before = listed[0].get(pid)
        start = before.used_mib if before else 0.0
        held = max(numbers)
        gained = start if isinstance(start, Null) else max(0.0, held - start)
    shares = [processes[pid].utilization if pid in processes else 0.0 for processes in listed[1:]]
    known = [share for share in shares if not isinstance(share, Null)]
    return Growth(
        pid,
        told.name,
        told.whose,
        gained,
        held,
        sum(known) / len(known) if known else seen[0].utilization,
        next(look.at_s for look, processes in zip(looks, listed, strict=True) if pid in processes),
    )


def _is_refused(look: GpuSample, device: int) -> bool:
    return isinstance((look.processes or ())[device], Null)


def _by_pid(look: GpuSample, device: int) -> dict[int, OwnedProcess]:
    listed = (look.processes or ())[device]
    return {} if isinstance(listed, Null) else {item.pid: item for item in listed}


def _held_by_server(look: GpuSample) -> Value:
    listed = look.processes or ()
    mine = [
        item.used_mib
        for processes in listed
        if not isinstance(processes, Null)
        for item in processes
        if item.whose == "server"
    ]
    if mine:
        unread = next((value for value in mine if isinstance(value, Null)), None)
        return unread or sum(value for value in mine if not isinstance(value, Null))
    refused = next((item for item in listed if isinstance(item, Null)), None)
    return refused or _UNSEEN


def _all_processes(samples: Iterable[GpuSample]) -> Iterator[tuple[int, OwnedProcess]]:
    for sample in samples:
        for device, listed in enumerate(sample.processes or ()):
            if not isinstance(listed, Null):
                for item in listed:
                    yield device, item
