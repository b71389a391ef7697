"""Judges runs by the host samples around them: what disturbed a run, with the culprit.

Runs are judged after the measurement, because the sample that closes a run's window comes later.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from orket_lib.artifacts.measurements.gpu import GpuWindow
from orket_lib.artifacts.measurements.host import HostWindow
from orket_lib.artifacts.measurements.parts import Answer
from orket_lib.artifacts.views.run_report import AnswerTelemetry, Observation, Probe
from orket_lib.measure.quality.gpu_verdicts import WatchedGpus
from orket_lib.measure.session.gpu_watch import NO_GPU_USED
from orket_lib.telemetry import windows
from orket_lib.telemetry.samples import Sample
from orket_lib.vocabulary import thresholds
from orket_lib.vocabulary.nulls import Null
from orket_lib.vocabulary.reasons import Reason, Severity
from orket_lib.vocabulary.statuses import Quality
from orket_lib.vocabulary.thresholds import exceeds, reaches

_NONE_SEEN = ("NO_GPU", "NOT_SEEN_ON_A_GPU", "NOT_SAMPLED")

NOT_JUDGED = HostWindow.of(**dict.fromkeys(HostWindow.readings(), windows.NOT_SAMPLED))


def judge_run(
    run: Answer, samples: Sequence[Sample], cpus: int, gpus: WatchedGpus | None = None
) -> Answer:
    """Return an answer with the readings of the host and the sampled GPUs around it."""
    host, gpu, seen = _judge(samples, run.window_s, cpus, gpus)
    reasons = (*run.telemetry.run_quality_reasons, *seen)
    polluted = any(item.severity is not Severity.NOTE for item in reasons)
    telemetry = run.telemetry.model_copy(
        update={
            **({"gpu": gpu, **_with_peak(run.telemetry, gpu)} if gpu else {}),
            "host": host,
            "run_quality_reasons": reasons,
            "run_quality_status": Quality.POLLUTED if polluted else Quality.CLEAN,
        }
    )
    return run.model_copy(update={"telemetry": telemetry})


def judge_probe(
    probe: Probe, samples: Sequence[Sample], cpus: int, gpus: WatchedGpus | None = None
) -> Probe:
    """Return a probe with the readings of the host and the sampled GPUs around it."""
    host, gpu, seen = _judge(samples, probe.window_s, cpus, gpus)
    update = {"host": host, "gpu": gpu, "observations": (*probe.observations, *seen)}
    return probe.model_copy(update=update)


def _with_peak(telemetry: AnswerTelemetry, gpu: GpuWindow) -> dict[str, Any]:
    """Return the update of a run's VRAM: the reading of the device, if there is one (T12)."""
    peak = gpu.reading("server_vram_mib")
    reasons = {name: why for name, why in telemetry.null_reasons.items() if name != "peak_vram_mib"}
    if isinstance(peak, Null):
        on_cpu = telemetry.null_reasons.get("peak_vram_mib") == NO_GPU_USED
        if on_cpu and peak.reason in _NONE_SEEN:  # no sample contradicts the server's claim
            return {}
        return {"null_reasons": {**reasons, "peak_vram_mib": peak.reason}}
    return {"peak_vram_mib": peak, "null_reasons": reasons}


def _judge(
    samples: Sequence[Sample], window_s: tuple[float, float], cpus: int, gpus: WatchedGpus | None
) -> tuple[HostWindow, GpuWindow | None, tuple[Observation, ...]]:
    """Return the readings of host and GPUs in a window, and the disturbances."""
    gpu, on_gpus = gpus.judge(window_s) if gpus else (None, ())
    around = windows.window(samples, *window_s)
    host = HostWindow.of(
        foreign_cpu_ratio=windows.foreign_cpu_ratio(around, cpus),
        foreign_load=windows.foreign_load(samples, around),
        steal_ratio=windows.steal_ratio(around, cpus),
        throttled_ratio=windows.throttled_ratio(around),
        swapped_mib=windows.swapped_mib(around),
        longest_gap_s=windows.longest_gap_s(around),
    )
    if not around:  # without samples, a run can't be clean
        text = f"no samples of the host around {window_s[0]:.1f}-{window_s[1]:.1f} s"
        return host, gpu, (Observation.of(Reason.TELEMETRY_GAP, text), *on_gpus)
    return host, gpu, (*_observations(host, around, cpus), *on_gpus)


def _observations(host: HostWindow, around: Sequence[Sample], cpus: int) -> Iterator[Observation]:
    """Yield the disturbances, with evidence; a null reading is none."""
    when = f"{around[0].at_s:.1f}-{around[-1].at_s:.1f} s into the session"
    foreign, steal = host.reading("foreign_cpu_ratio"), host.reading("steal_ratio")
    load, swapped = host.reading("foreign_load"), host.reading("swapped_mib")
    gap, throttled = host.reading("longest_gap_s"), host.reading("throttled_ratio")
    if not isinstance(foreign, Null) and reaches(foreign, thresholds.FOREIGN_CPU_RATIO):
        text = f"foreign CPU use {foreign:.0%} of all cores at {when}; {windows.culprit(around)}"
        yield Observation.of(Reason.HIGH_CPU_SATURATION, text)
    if not isinstance(load, Null) and exceeds(load, cpus):
        text = f"foreign load {load:.2f}, {cpus} CPUs, at {when}; {windows.culprit(around)}"
        yield Observation.of(Reason.HIGH_SYSTEM_LOAD, text)
    if not isinstance(steal, Null) and reaches(steal, thresholds.STEAL_RATIO):
        yield Observation.of(Reason.CPU_STEAL, f"{steal:.0%} of all cores stolen at {when}")
    if not isinstance(throttled, Null) and reaches(throttled, thresholds.THROTTLED_PERIODS_RATIO):
        text = (
            f"a CPU quota of this container or job stopped the sweep in {throttled:.0%} of its "
            f"periods ({windows.throttled_s(around):.1f} s over all CPUs) at {when}"
        )
        yield Observation.of(Reason.CPU_THROTTLED, text)
    if not isinstance(swapped, Null) and reaches(swapped, thresholds.SWAPPED_MIB):
        yield Observation.of(Reason.SWAPPING, f"{swapped:.0f} MiB swapped at {when}")
    if not isinstance(gap, Null) and exceeds(gap, thresholds.TELEMETRY_GAP_S):
        yield Observation.of(Reason.TELEMETRY_GAP, f"no sample for {gap:.1f} s at {when}")
