"""Which GPUs are watched while a model is served, and the rest that they get first.

None for a model in main memory: its numbers owe nothing to a GPU, and watching one costs. None for
one on another machine: our GPUs have nothing to do with it.
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
_REST_S = 3.0  # power is averaged over a second, and a card needs a moment to calm down


def gpu_watch(
    spec: MeasurementSpec, source: Source, model: Model, samples: Path
) -> GpuWatch | None:
    """Return which GPUs are to be watched; None where none has to do with the model.

    Args:
        spec: What is served; it may name GPUs.
        source: From where.
        model: As it is served.
        samples: Where the samples of the host go.
    """
    on_cpu = model.served.null_reasons.get("server_vram_mib") == NO_GPU_USED
    if on_cpu or source.place.remote is not None:
        return None
    return GpuWatch(gpu_samples_of(samples), spec.gpu_devices)


def says_main_memory(served: ServedModel) -> bool:
    """Tell whether a server says that its model is in main memory; it may be wrong (T12)."""
    told = served.null_reasons.get("server_vram_mib")
    return served.server_vram_mib == 0 or told == NO_GPU_USED


def rest(samples: Path) -> None:
    """Give watched GPUs a few seconds with the model loaded and nothing to do.

    What they take then is what energy is corrected by. Without a GPU there is nothing to wait for.

    Args:
        samples: Where the samples of the host go.
    """
    record = read_gpu_samples(gpu_samples_of(samples))
    if record is not None and record.devices:
        time.sleep(_REST_S)
