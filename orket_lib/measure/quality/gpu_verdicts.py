"""Judges runs by the GPU samples around them: foreign processes and throttling.

Only the GPUs that the server was seen on are judged. Work that can't be attributed is a third state
between clean and polluted: it makes a note, with the evidence. If the server was seen on none of
several GPUs, as in a container, all are judged, but no energy is attributed to the server. The same
holds for a single GPU that was always idle, or if the server claims to use none.
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
from orket_lib.vocabulary.nulls import Null, all_of, known
from orket_lib.vocabulary.reasons import Reason
from orket_lib.vocabulary.thresholds import reaches

_MAIN_MEMORY, _RESTED = Null(NO_GPU_USED), Null("NOT_SEEN_ON_A_GPU")
UNUSED = (_MAIN_MEMORY, _RESTED)  # no readings count, because the model uses no GPU

Window = tuple[float, float]
Combine = Callable[[Sequence[float]], float]


@dataclass(frozen=True)
class WatchedGpus:
    """The GPUs of a session.

    Attributes:
        record: Their samples.
        main_memory: Whether the server claims to use none.
    """

    record: GpuRecord
    main_memory: bool = False

    @cached_property
    def used(self) -> tuple[int, ...]:
        """Indexes of the GPUs that the server uses."""
        return gpu_windows.used_devices(self.record)

    @cached_property
    def trusted(self) -> bool:
        """Whether the server was seen on a GPU, so that the driver's pids match ours."""
        return gpu_windows.server_was_seen(self.record)

    @cached_property
    def counted(self) -> tuple[int, ...] | Null:
        """Indexes of the GPUs whose readings are the server's, or why they are unknown."""
        if self.trusted:
            return self.used
        if self.main_memory:  # and no sample contradicts it
            return _MAIN_MEMORY
        if len(self.used) > 1:
            return Null("SERVER_NOT_SEEN_ON_A_GPU")
        rested = any(gpu_windows.never_worked(self.record, device) for device in self.used)
        return _RESTED if rested else self.used

    @cached_property
    def vram_peaks(self) -> tuple[Value, ...]:
        """The peak memory of the server up to each list of processes."""
        return gpu_windows.server_vram_peaks(self.record)

    @cached_property
    def idle_watts(self) -> Value:
        """Their idle power, in total."""
        counted = self.counted
        return counted if isinstance(counted, Null) else idle_watts(self.record.samples, counted)

    def looks(self) -> Iterator[tuple[float, Value, Value, Value]]:
        """Yield each sample's time, highest temperature, lowest clock and total power."""
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
        """Return the readings around a run, and its disturbances."""
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
            throttled_ratio=all_of(slowed, max, NOT_SAMPLED),
        )

    def _around(self, window_s: Window) -> Sequence[GpuSample]:
        """Return the samples around a run; none if there is a long gap in or before it.

        Otherwise an old reading would count for the run (T36).
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
            text = f"{gpu} stopped answering at {gone_s:.1f} s into the session"
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
        """Yield the work on a GPU that can't be attributed."""
        unlisted = gpu_windows.unlisted(self.record, device, window_s)
        if unlisted:
            yield f"the driver lists no processes ({unlisted.reason})"
        for item in others:
            if item.whose == "desktop":
                continue
            if isinstance(item.gained_mib, Null) and not _is_much(item):
                yield f"{item.name} (pid {item.pid}): memory unknown ({item.gained_mib.reason})"
            elif item.whose == "stranger" and not self.trusted:
                yield f"{_named(item)}, owner unknown"
            elif _is_foreign(item, self.trusted) and _may_work(item):
                yield f"{_named(item)}, holds {item.held_mib:.0f} MiB, utilization unknown"
        rest = gpu_windows.unexplained_mib(around, device, others)
        if not isinstance(rest, Null) and reaches(rest, thresholds.FOREIGN_GPU_MIB):
            yield f"{rest:.0f} MiB more in use, not by a listed process"


def watched(path: Path, main_memory: bool = False) -> WatchedGpus | None:
    """Return the GPUs of a session from the file of its samples; None if none was sampled.

    Args:
        path: The file.
        main_memory: Whether the server claims to use none.
    """
    record = read_gpu_samples(path)
    return None if record is None else WatchedGpus(record, main_memory)


def nothing_seen(why: Null) -> GpuWindow:
    """Return the window of a run without GPU samples."""
    return GpuWindow.of(energy_method=None, **dict.fromkeys(GpuWindow.readings(), why))


def _slowed(around: Sequence[GpuSample], device: int, gpu: str, when: str) -> Iterator[Observation]:
    heat, words = gpu_windows.throttling(around, device)
    if not isinstance(heat, Null) and reaches(heat, thresholds.THROTTLED_RATIO):
        temperatures = known(look.gauges[device].temperature_c for look in around)
        hot = f", up to {max(temperatures):.0f} C" if temperatures else ""
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
    """Return whether a large process may be working although its utilization is unknown."""
    held = item.held_mib
    big = not isinstance(held, Null) and reaches(held, thresholds.FOREIGN_GPU_MIB)
    return big and isinstance(item.busy, Null) and not _is_much(item)


def _named(item: Growth) -> str:
    gained = (
        "memory unknown" if isinstance(item.gained_mib, Null) else f"+{item.gained_mib:.0f} MiB"
    )
    busy = "" if isinstance(item.busy, Null) else f", busy {item.busy:.0%} of the time"
    return f"{item.name} (pid {item.pid}): {gained}{busy}, first seen at {item.first_s:.1f} s"


def _over(devices: Sequence[int], look: GpuSample, combine: Combine, name: str) -> Value:
    """Return one gauge of several GPUs as one number; null if one of them is."""
    values: list[Value] = [getattr(look.gauges[device], name) for device in devices]
    return all_of(values, combine, NOT_SAMPLED)


def _mean(values: Sequence[Value]) -> Value:
    return all_of(values, statistics.fmean, NOT_SAMPLED)
