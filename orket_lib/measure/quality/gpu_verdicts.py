"""Runs held against the samples of the GPUs around them: who else was there, and what slowed them.

Only the GPUs that the server was seen on are judged. What nobody can attribute is a third state
between clean and polluted: it is said as a note, with what is known. Where the server was seen on
none of several, as in a container, all are judged, and the energy of none is booked to it. Nor is
that of a single one that never worked, or whose server says that it uses none.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from orket_lib.artifacts.measurements.gpu import GpuWindow
from orket_lib.artifacts.views.run_report import Observation
from orket_lib.measure.session.gpu_watch import NO_GPU_USED
from orket_lib.telemetry.devices.reading import Value
from orket_lib.telemetry.gpu import windows as gpu_windows
from orket_lib.telemetry.gpu.energy import energy, idle_watts
from orket_lib.telemetry.gpu.samples import GpuRecord, GpuSample, read_gpu_samples
from orket_lib.telemetry.gpu.windows import Growth
from orket_lib.telemetry.windows import NOT_SAMPLED, longest_gap_s, window
from orket_lib.vocabulary import thresholds
from orket_lib.vocabulary.nulls import Null
from orket_lib.vocabulary.reasons import Reason
from orket_lib.vocabulary.thresholds import reaches

_MAIN_MEMORY, _RESTED = Null(NO_GPU_USED), Null("NOT_SEEN_ON_A_GPU")
UNUSED = (_MAIN_MEMORY, _RESTED)  # whose readings count: none's, because the model is on no GPU

Window = tuple[float, float]
Combine = Callable[[Sequence[float]], float]


@dataclass(frozen=True)
class WatchedGpus:
    """The GPUs of a session.

    Attributes:
        record: What was seen of them.
        main_memory: Whether the server says that it uses none.
    """

    record: GpuRecord
    main_memory: bool = False

    @cached_property
    def used(self) -> tuple[int, ...]:
        """The places of those that the server uses."""
        return gpu_windows.used_devices(self.record)

    @cached_property
    def trusted(self) -> bool:
        """Whether the server was seen on one: then pids mean here what the driver means."""
        return gpu_windows.server_was_seen(self.record)

    @cached_property
    def counted(self) -> tuple[int, ...] | Null:
        """The places of those whose readings are the server's, or why nobody knows which are."""
        if self.trusted:
            return self.used
        if self.main_memory:  # and nothing contradicts it
            return _MAIN_MEMORY
        if len(self.used) > 1:
            return Null("SERVER_NOT_SEEN_ON_A_GPU")
        rested = any(gpu_windows.never_worked(self.record, device) for device in self.used)
        return _RESTED if rested else self.used

    @cached_property
    def vram_peaks(self) -> tuple[Value, ...]:
        """The most that the server held so far, list of processes by list."""
        return gpu_windows.server_vram_peaks(self.record)

    @cached_property
    def idle_watts(self) -> Value:
        """What they take doing nothing, all together."""
        counted = self.counted
        return counted if isinstance(counted, Null) else idle_watts(self.record.samples, counted)

    def looks(self) -> Iterator[tuple[float, Value, Value, Value]]:
        """Yield each look's time, and of the GPUs the highest heat, lowest clock and all power."""
        counted = self.counted
        for look in self.record.samples:
            if isinstance(counted, Null):
                yield look.at_s, counted, counted, counted
            else:
                yield (
                    look.at_s,
                    _over(counted, look, max, "temperature_c"),
                    _over(counted, look, min, "clock_mhz"),
                    _over(counted, look, sum, "power_watts"),
                )

    def judge(self, window_s: Window) -> tuple[GpuWindow, tuple[Observation, ...]]:
        """Return what they did around a run, and what of that counts as a disturbance."""
        if not self.record.devices:
            return nothing_seen(Null("NO_GPU")), ()
        found = self._window(window_s)
        if not self._around(window_s):
            text = f"no samples of the GPUs around {window_s[0]:.1f}-{window_s[1]:.1f} s"
            return found, (Observation.of(Reason.TELEMETRY_GAP, text),)
        return found, tuple(self._observations(window_s))

    def _window(self, window_s: Window) -> GpuWindow:
        vram = gpu_windows.server_vram_mib(self.record, self.vram_peaks, window_s[1])
        counted = self.counted
        if isinstance(counted, Null):
            unknown = dict.fromkeys(GpuWindow.readings(), counted)
            return GpuWindow.of(energy_method=None, **{**unknown, "server_vram_mib": vram})
        around = self._around(window_s)
        spent = energy(self.record.samples, counted, *window_s)
        idle = self.idle_watts
        if isinstance(spent.joules, Null):
            idle = spent.joules
        slowed = [gpu_windows.throttling(around, device)[0] for device in counted]
        heat = [_over(counted, look, max, "temperature_c") for look in around]
        return GpuWindow.of(
            server_vram_mib=vram,
            energy_joules=spent.joules,
            energy_method=spent.method,
            idle_joules=idle if isinstance(idle, Null) else idle * (window_s[1] - window_s[0]),
            temperature_start_c=heat[0] if heat else NOT_SAMPLED,
            temperature_end_c=heat[-1] if heat else NOT_SAMPLED,
            clock_mhz=_mean([_over(counted, look, min, "clock_mhz") for look in around]),
            power_watts=_mean([_over(counted, look, sum, "power_watts") for look in around]),
            utilization=_mean([_over(counted, look, max, "utilization") for look in around]),
            throttled_ratio=_all_of(slowed, max),
        )

    def _around(self, window_s: Window) -> Sequence[GpuSample]:
        """Return the samples around a run; none after a long gap before or within it.

        A reading from before that would stand for the run (T36).
        """
        around = window(self.record.samples, *window_s)
        gap = longest_gap_s(around)
        return () if isinstance(gap, Null) or gap > thresholds.TELEMETRY_GAP_S else around

    def _observations(self, window_s: Window) -> Iterator[Observation]:
        for device in self.used:
            yield from self._of_device(device, window_s)

    def _of_device(self, device: int, window_s: Window) -> Iterator[Observation]:
        samples, info = self.record.samples, self.record.devices[device]
        around = window(samples, *window_s)
        gpu = f"GPU {info.index} ({info.name}, {info.uuid})"
        when = f"at {around[0].at_s:.1f}-{around[-1].at_s:.1f} s into the session"
        gone_s = gpu_windows.lost_at_s(around, device)
        if gone_s is not None:
            text = f"{gpu} answers no more since {gone_s:.1f} s into the session"
            yield Observation.of(Reason.TELEMETRY_GAP, text)
            return
        yield from _slowed(around, device, gpu, when)
        others = gpu_windows.growths(self.record, device, window_s)
        for item in others:
            if _is_foreign(item, self.trusted) and _is_much(item):
                yield Observation.of(Reason.FOREIGN_GPU_PROCESS, f"{_named(item)}, on {gpu} {when}")
        unknown = "; ".join(self._unknown(device, window_s, around, others))
        if unknown:
            yield Observation.of(Reason.GPU_UNATTRIBUTABLE, f"{unknown}, on {gpu} {when}")

    def _unknown(
        self,
        device: int,
        window_s: Window,
        around: Sequence[GpuSample],
        others: Sequence[Growth],
    ) -> Iterator[str]:
        """Yield what can't be attributed on a GPU."""
        unlisted = gpu_windows.unlisted(self.record, device, window_s)
        if unlisted:
            yield f"the driver lists no processes ({unlisted.reason})"
        for item in others:
            if item.whose == "desktop":
                continue
            if isinstance(item.gained_mib, Null) and not _is_much(item):
                yield f"{item.name} (pid {item.pid}): memory not told ({item.gained_mib.reason})"
            elif item.whose == "stranger" and not self.trusted:
                yield f"{_named(item)}, and nobody here knows whose it is"
            elif _is_foreign(item, self.trusted) and _may_work(item):
                yield f"{_named(item)}, holds {item.held_mib:.0f} MiB, its work is not told"
        rest = gpu_windows.unexplained_mib(around, device, others)
        if not isinstance(rest, Null) and reaches(rest, thresholds.FOREIGN_GPU_MIB):
            yield f"{rest:.0f} MiB more in use that no listed process accounts for"


def watched(path: Path, main_memory: bool = False) -> WatchedGpus | None:
    """Return the GPUs of a session from the file of its samples; None where none was watched.

    Args:
        path: The file.
        main_memory: Whether the server says that it uses none.
    """
    record = read_gpu_samples(path)
    return None if record is None else WatchedGpus(record, main_memory)


def nothing_seen(why: Null) -> GpuWindow:
    """Return the window of a run around which no GPU was seen."""
    return GpuWindow.of(energy_method=None, **dict.fromkeys(GpuWindow.readings(), why))


def _slowed(around: Sequence[GpuSample], device: int, gpu: str, when: str) -> Iterator[Observation]:
    heat, words = gpu_windows.throttling(around, device)
    if not isinstance(heat, Null) and reaches(heat, thresholds.THROTTLED_RATIO):
        known = [
            value
            for look in around
            if not isinstance(value := look.gauges[device].temperature_c, Null)
        ]
        hot = f", up to {max(known):.0f} C" if known else ""
        text = (
            f"{gpu} slowed by {', '.join(sorted(words))} in {heat:.0%} of the samples{hot} {when}"
        )
        yield Observation.of(Reason.THERMAL_THROTTLE, text)
    capped, _ = gpu_windows.throttling(around, device, ("sw_power_cap",))
    if not isinstance(capped, Null) and reaches(capped, thresholds.THROTTLED_RATIO):
        text = f"{gpu} at its power limit in {capped:.0%} of the samples {when}"
        yield Observation.of(Reason.SW_POWER_CAP, text)


def _is_foreign(item: Growth, trusted: bool) -> bool:
    return item.whose == "foreign" or (item.whose == "stranger" and trusted)


def _is_much(item: Growth) -> bool:
    gained, busy = item.gained_mib, item.busy
    return (not isinstance(gained, Null) and reaches(gained, thresholds.FOREIGN_GPU_MIB)) or (
        not isinstance(busy, Null) and reaches(busy, thresholds.FOREIGN_GPU_RATIO)
    )


def _may_work(item: Growth) -> bool:
    """Tell whether a process of some size may work without that the driver would tell."""
    held = item.held_mib
    big = not isinstance(held, Null) and reaches(held, thresholds.FOREIGN_GPU_MIB)
    return big and isinstance(item.busy, Null) and not _is_much(item)


def _named(item: Growth) -> str:
    gained = (
        "memory not told" if isinstance(item.gained_mib, Null) else f"+{item.gained_mib:.0f} MiB"
    )
    busy = "" if isinstance(item.busy, Null) else f", busy {item.busy:.0%} of the time"
    return f"{item.name} (pid {item.pid}): {gained}{busy}, first seen at {item.first_s:.1f} s"


def _over(devices: Sequence[int], look: GpuSample, combine: Combine, name: str) -> Value:
    """Return one gauge of several GPUs as one number; null where one of them has none."""
    return _all_of([getattr(look.gauges[device], name) for device in devices], combine)


def _all_of(values: Sequence[Value], combine: Combine) -> Value:
    """Return several readings as one; it is null when one of them is."""
    unread = next((value for value in values if isinstance(value, Null)), None)
    if unread or not values:
        return unread or NOT_SAMPLED
    return combine([value for value in values if not isinstance(value, Null)])


def _mean(values: Sequence[Value]) -> Value:
    return _all_of(values, statistics.fmean)
