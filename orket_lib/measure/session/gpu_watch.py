"""Which GPUs are sampled while a model is served, and the idle time before the measurement.

None for a model in main memory, because sampling costs time, nor for one on another machine.
"""

from __future__ import annotations

import time
from pathlib import Path

from orket_lib.artifacts.measurements.spec import MeasurementSpec
from orket_lib.artifacts.views.run_report import ServedModel
from orket_lib.measure.session.sample_files import gpu_samples_of
from orket_lib.providers.base import Model, Source
from orket_lib.telemetry.gpu.samples import read_gpu_samples
from orket_lib.telemetry.sampler import GpuWatch

NO_GPU_USED = "NO_GPU_USED"
_REST_S = 3.0  # drivers average power over a second, and a card takes a moment to become idle


def gpu_watch(
    spec: MeasurementSpec, source: Source, model: Model, samples: Path
) -> GpuWatch | None:
    """Return which GPUs are sampled; None if the model uses none of this machine.

    Args:
        spec: What is served; it may name GPUs.
        source: Where it is served.
        model: The served model.
        samples: Path of the host's samples.
    """
    on_cpu = model.served.null_reasons.get("server_vram_mib") == NO_GPU_USED
    if on_cpu or source.place.remote is not None:
        return None
    return GpuWatch(gpu_samples_of(samples), spec.gpu_devices)


def says_main_memory(served: ServedModel) -> bool:
    """Return whether a server claims that its model is in main memory; it may be wrong (T12)."""
    reason = served.null_reasons.get("server_vram_mib")
    return served.server_vram_mib == 0 or reason == NO_GPU_USED


def rest(samples: Path) -> None:
    """Leave sampled GPUs idle for a few seconds with the model loaded.

    This gives their idle power, by which energy is corrected. Without a GPU, don't wait.

    Args:
        samples: Path of the host's samples.
    """
    record = read_gpu_samples(gpu_samples_of(samples))
    if record is not None and record.devices:
        time.sleep(_REST_S)
