"""The command line and environment of a `llama-server` that we start, for old and new builds.

What a measurement needs is asked for in every build: the file, the context, one slot, the threads,
the counters. What only some builds know (and others do of themselves, or not at all) is asked for
where the build's own help names it.
"""

from __future__ import annotations

import os
import re
import subprocess
from functools import cache
from pathlib import Path

import psutil

from orket_lib.artifacts.measurements.spec import MeasurementSpec
from orket_lib.processes.which import find_program
from orket_lib.vocabulary.errors import LoadError
from orket_lib.vocabulary.failures import Cause

_HELP_TIMEOUT_S = 60.0  # a build for GPUs looks for them first
_FLAG = re.compile(r"(?<![\w-])--[a-z][a-z-]+")

# Where a build knows the flag: no page for browsers, the chat template of the file itself, no shift
# of a context that is full (it would hide that it is), no copy of old prompts in memory.
_WHERE_KNOWN = (
    ("--no-webui",),
    ("--jinja",),
    ("--no-context-shift",),
    ("--cache-ram", "0"),
    ("--metrics",),
    ("--slots",),
)


def find_binary(name: str) -> str:
    """Return the path of the server's binary.

    Raises:
        LoadError: There is none, or it can't be run.
    """
    path = find_program(name)
    if path is None:
        told = f"server_binary: there is no program {name} (neither a path nor on PATH)"
        raise LoadError(told, Cause.NOT_SET_UP)
    return path


def command_line(binary: str, spec: MeasurementSpec, artifact: Path, port: int) -> list[str]:
    """Return the command that serves a cell on a port of this machine.

    Raises:
        LoadError: The binary does not run.
    """
    threads = spec.controls.threads or psutil.cpu_count(logical=False) or psutil.cpu_count() or 1
    known = _known_flags(binary)
    command = [binary, "--model", str(artifact), "--host", "127.0.0.1", "--port", str(port)]
    command += ["--ctx-size", str(spec.n_ctx or 0), "--parallel", "1"]
    if spec.n_ctx is None and "--fit" in known:
        command += ["--fit", "off"]  # else a full machine gets less context, quant by quant
    command += ["--threads", str(threads), "--threads-batch", str(threads)]
    for flag in _WHERE_KNOWN:
        command += flag if flag[0] in known else ()
    return command + list(spec.server_args)


def environment(spec: MeasurementSpec, api_key: str) -> dict[str, str]:
    """Return the environment of the server.

    The key stands here, because a command line can be read by everybody on the machine. Settings of
    llama.cpp in our own environment are left out: what is measured depends on the spec alone.
    """
    found = {key: value for key, value in os.environ.items() if not key.startswith("LLAMA_ARG_")}
    found["LLAMA_API_KEY"] = api_key
    if spec.gpu_devices is not None:
        visible = ",".join(spec.gpu_devices)
        found |= {"CUDA_VISIBLE_DEVICES": visible, "HIP_VISIBLE_DEVICES": visible}
        found["CUDA_DEVICE_ORDER"] = "PCI_BUS_ID"  # so that an index means what the tools show
    return found


@cache
def _known_flags(binary: str) -> frozenset[str]:
    """Return the flags that a build's help names."""
    try:
        told = subprocess.run(
            [binary, "--help"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=_HELP_TIMEOUT_S,
            check=False,
        )
    except OSError as error:
        raise LoadError(f"{binary}: {error.strerror}", Cause.NOT_SET_UP) from None
    except subprocess.TimeoutExpired:
        told_of = f"{binary} --help: no answer in {_HELP_TIMEOUT_S:g} s"
        raise LoadError(told_of, Cause.TIMEOUT) from None
    text = told.stdout.decode(errors="replace")
    if told.returncode:
        last = (text.strip().splitlines() or ["it says nothing"])[-1]
        raise LoadError(
            f"{binary} --help: exit status {told.returncode}: {last[:200]}", Cause.NOT_SET_UP
        )
    return frozenset(_FLAG.findall(text))
