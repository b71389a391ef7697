"""On a machine with an NVIDIA card: we read what `nvidia-smi` says, and a guest is named."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from foreign_work import is_alive, wait_until

from orket_lib.measure.quality.gpu_verdicts import WatchedGpus
from orket_lib.telemetry.devices.opening import open_devices
from orket_lib.telemetry.devices.reading import number_or_none
from orket_lib.telemetry.gpu.samples import read_gpu_samples
from orket_lib.telemetry.sampler import GpuWatch, sampling
from orket_lib.vocabulary.reasons import Reason

pytestmark = pytest.mark.gpu

MIB = 512
# Takes memory of the first card through the driver alone, says so, and waits for its end.
GUEST = f"""
import ctypes, sys, time
cuda = ctypes.CDLL("libcuda.so.1")
device, context, memory = ctypes.c_int(), ctypes.c_void_p(), ctypes.c_uint64()
for code in (
    cuda.cuInit(0),
    cuda.cuDeviceGet(ctypes.byref(device), 0),
    cuda.cuDevicePrimaryCtxRetain(ctypes.byref(context), device),
    cuda.cuCtxSetCurrent(context),
    cuda.cuMemAlloc_v2(ctypes.byref(memory), ctypes.c_size_t({MIB} << 20)),
):
    assert code == 0, code
open(sys.argv[1], "w").close()
time.sleep(60)
"""
DETACH = """
import subprocess, sys
silent = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.DEVNULL)
print(subprocess.Popen(sys.argv[1:], start_new_session=True, **silent).pid)
"""


@pytest.fixture(autouse=True)
def card() -> None:
    """Skip where there is no card."""
    with open_devices("nvidia") as found:
        if not found.devices:
            pytest.skip(f"no NVIDIA GPU here: {found.absent['nvidia']}")


@contextmanager
def guest(folder: Path) -> Iterator[int]:
    """Plant a process outside of our tree that takes memory of the first card."""
    ready = folder / "ready"
    command = [sys.executable, "-c", GUEST, str(ready)]
    started = subprocess.run(
        [sys.executable, "-c", DETACH, *command], capture_output=True, text=True, check=True
    )
    pid = int(started.stdout)
    try:
        wait_until(lambda: ready.exists() or not is_alive(pid), "the guest is on the card")
        assert is_alive(pid), "libcuda refused"
        yield pid
    finally:
        if is_alive(pid):
            os.kill(pid, signal.SIGKILL)


@pytest.mark.skipif(shutil.which("nvidia-smi") is None, reason="no nvidia-smi on PATH")
def test_our_readings_are_those_of_nvidia_smi() -> None:
    fields = "uuid,memory.total,memory.used,temperature.gpu,power.draw"
    done = subprocess.run(
        ["nvidia-smi", f"--query-gpu={fields}", "--format=csv,noheader,nounits"],
        capture_output=True,
        text=True,
        check=True,
    )
    with open_devices("nvidia") as found:
        ours = {device.info.uuid: device.gauges() for device in found.devices}
    whole = [line.split(", ") for line in done.stdout.splitlines()]
    compared = 0
    for uuid, *values in whole:
        if uuid not in ours:  # divided into parts, which are ours to see and not its
            continue
        seen = ours[uuid]
        pairs = zip(
            values,
            (seen.memory_total_mib, seen.memory_used_mib, seen.temperature_c, seen.power_watts),
            (1.0, 64.0, 3.0, 40.0),
            strict=True,
        )
        for text, reading, apart in pairs:
            if number_or_none(reading) is None:
                assert "N/A" in text
            else:
                assert float(text) == pytest.approx(number_or_none(reading), abs=apart)
                compared += 1
    assert compared


def test_a_planted_process_is_named(tmp_path: Path) -> None:
    host, gpus = tmp_path / "samples.csv", tmp_path / "gpus.jsonl"

    def looks() -> int:
        record = read_gpu_samples(gpus)
        return len(record.samples) if record else 0

    # A process without GPU work takes the place of the server, so that the guest has an owner.
    origin = time.monotonic()
    with sampling(host, os.getpid(), origin, GpuWatch(gpus)):
        wait_until(lambda: looks() > 6, "a list without the guest")
        with guest(tmp_path) as pid:
            before = looks()
            wait_until(lambda: looks() > before + 6, "a list with the guest")
            name = psutil.Process(pid).name()
    record = read_gpu_samples(gpus)
    assert record is not None
    pids = {
        item.pid
        for look in record.samples
        for listed in look.processes or ()
        if isinstance(listed, tuple)
        for item in listed
    }
    if pid not in pids:
        pytest.skip("the driver names processes by pids of another namespace")
    seen = WatchedGpus(record).judge((0.5, record.samples[-1].at_s - 0.1))[1]
    named = [item.evidence for item in seen if item.reason is Reason.FOREIGN_GPU_PROCESS]
    assert any(text.startswith(f"{name} (pid {pid}): +") for text in named), seen
