"""The command line and environment of a `llama-server` that we start, for old and new builds.

The settings that a measurement needs are passed to every build: file, context, one slot, threads.
Flags that only some builds have are passed where the build's own help names them.
"""

from __future__ import annotations

import os
from pathlib import Path

from orket_lib.artifacts.measurements.spec import LOAD_FLAGS, MeasurementSpec
from orket_lib.providers.llama_cpp.binary import known_flags, logs_by_level
from orket_lib.telemetry.allowance.cpus import cpu_allowance
from orket_lib.vocabulary.units import cpus_of

# Passed where a build knows the flag: no web page, the chat template of the file itself, no shift
# of a full context (it would hide that the context is full), no copy of old prompts in memory.
_WHERE_KNOWN = (
    ("--no-webui",),
    ("--jinja",),
    ("--no-context-shift",),
    ("--cache-ram", "0"),
    ("--metrics",),
    ("--slots",),
)


def thread_count(spec: MeasurementSpec) -> int:
    """Return the threads of a server that we start.

    If the spec has none, one for each physical core that the server may use: a container, a batch
    system or the spec's own affinity may leave it fewer than the machine has (T33).
    """
    if spec.controls.threads:
        return spec.controls.threads
    return cpu_allowance(among=cpus_of(spec.controls.affinity_policy)).threads


def command_line(binary: str, spec: MeasurementSpec, artifact: Path, port: int) -> list[str]:
    """Return the command that serves a cell on a port of this machine.

    Raises:
        LoadError: The binary does not run.
    """
    threads, known = str(thread_count(spec)), known_flags(binary)
    command = [binary, "--model", str(artifact), "--host", "127.0.0.1", "--port", str(port)]
    command += ["--ctx-size", str(spec.n_ctx or 0), "--parallel", "1"]
    if spec.n_ctx is None and "--fit" in known:
        # Without it, the context would shrink with free memory, differently for each quant.
        command += ["--fit", "off"]
    command += ["--threads", threads, "--threads-batch", threads]
    for name, flags in LOAD_FLAGS.items():
        value = getattr(spec, name)
        command += [] if value is None else [flags[0], str(value)]
    if logs_by_level(binary):
        command += ["--log-verbosity", "4"]  # the level at which it logs how it has loaded a model
    for flag in _WHERE_KNOWN:
        command += flag if flag[0] in known else ()
    return command + list(spec.server_args)


def environment(spec: MeasurementSpec, api_key: str) -> dict[str, str]:
    """Return the environment of the server.

    The key is passed here because every user of the machine can read a command line. Settings of
    llama.cpp in our own environment are removed: the measurement must depend on the spec alone.
    """
    found = {key: value for key, value in os.environ.items() if not key.startswith("LLAMA_ARG_")}
    found["LLAMA_API_KEY"] = api_key
    if spec.gpu_devices is not None:
        visible = ",".join(spec.gpu_devices)
        found |= {"CUDA_VISIBLE_DEVICES": visible, "HIP_VISIBLE_DEVICES": visible}
    if spec.gpu_devices is not None or "SLURM_JOB_ID" in found:  # Slurm grants by this index, too
        found["CUDA_DEVICE_ORDER"] = "PCI_BUS_ID"  # that of nvidia-smi
    return found
