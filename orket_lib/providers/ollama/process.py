"""The processes of an Ollama server on this machine, and the settings on their command lines.

Ollama has no route that reports threads, and older versions don't report the context. But it starts
a process for each model that it loads (llama.cpp's own server; before version 0.30 its own runner),
whose command line has both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from orket_lib.processes.process_end import is_running
from orket_lib.providers.server_process import ServerProcess, process_at
from orket_lib.vocabulary.providers import remote_host

_MODEL = ("--model",)
_CONTEXT = ("--ctx-size", "-c")
_SLOTS = ("--parallel", "-np")
_THREADS = ("--threads", "-t")
_GPU_LAYERS = ("--n-gpu-layers", "--gpu-layers", "-ngl")
_BATCH = ("--batch-size", "-b")


@dataclass(frozen=True)
class Runner:
    """The process that holds a loaded model.

    Attributes:
        process: As it was found; distinguishes itself from a successor with its pid.
        model: Path of the model file.
        n_ctx: Context of one slot; None where the command line doesn't have it.
        threads: From the command line; None where it doesn't have them.
        gpu_layers: The same of the layers on the GPU.
        batch_size: The same of the tokens of a batch.
    """

    process: psutil.Process
    model: str
    n_ctx: int | None
    threads: int | None
    gpu_layers: int | None = None
    batch_size: int | None = None

    @property
    def alive(self) -> bool:
        """Whether it is still the same process."""
        return is_running(self.process)


def server_process(base_url: str) -> psutil.Process | None:
    """Return the serving process, or None when it is on another machine or can't be found.

    The owner of a port is visible to its own user only, and Ollama usually is a system service: in
    that case the process is found by its command line `ollama serve`, if there is only one.
    """
    if remote_host(base_url) is not None:
        return None
    listening = process_at(base_url)
    if listening is not None:
        return listening
    found = [process for process in psutil.process_iter() if _is_ollama(process)]
    return found[0] if len(found) == 1 else None


def find_runner(server: ServerProcess) -> Runner | None:
    """Return the process of the model that a server has loaded, if there is only one."""
    found = [runner for child in server.children if (runner := _runner(child))]
    # A process that has just forked exists twice, with the same command line.
    pids = {runner.process.pid for runner in found}
    heads = [runner for runner in found if _parent(runner.process) not in pids]
    return heads[0] if len(heads) == 1 else None


def _parent(process: psutil.Process) -> int | None:
    try:
        return process.ppid()
    except psutil.Error:
        return None


def _runner(process: psutil.Process) -> Runner | None:
    try:
        words = process.cmdline()
    except psutil.Error:
        return None
    model = _value(words, _MODEL)
    if model is None:
        return None
    context, slots = _number(words, _CONTEXT), _number(words, _SLOTS) or 1
    return Runner(
        process=process,
        model=model,
        n_ctx=context // slots if context else None,
        threads=_number(words, _THREADS),
        gpu_layers=_number(words, _GPU_LAYERS),
        batch_size=_number(words, _BATCH),
    )


def _is_ollama(process: psutil.Process) -> bool:
    try:
        words = process.cmdline()
    except psutil.Error:
        return False
    return words[1:2] == ["serve"] and Path(words[0]).stem.lower() == "ollama"


def _number(words: Sequence[str], names: Sequence[str]) -> int | None:
    value = _value(words, names)
    return int(value) if value and value.isdecimal() else None


def _value(words: Sequence[str], names: Sequence[str]) -> str | None:
    for place, word in enumerate(words[:-1]):
        if word in names:
            return words[place + 1]
    return None
