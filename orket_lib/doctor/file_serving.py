"""What serves model files here: a llama-server with its GPUs, or the embedded llama.cpp."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import Any

from orket_lib.preflight.memory import FreeMemory, free_gpu_memory, free_main_memory
from orket_lib.processes.which import find_program
from orket_lib.providers.llama_cpp.binary import known_flags, listed_devices
from orket_lib.telemetry.environment import package_version
from orket_lib.vocabulary.errors import ConfigError, LoadError
from orket_lib.vocabulary.providers import PROVIDERS

EMBEDDED, _SERVER = "embedded", "llama-server"


@dataclass(frozen=True)
class FileServing:
    """What serves model files.

    Attributes:
        binary: A llama-server; None is the embedded llama.cpp.
        gpus: Names of the GPUs that it uses; none on the CPU, None if it doesn't say.
    """

    binary: str | None = None
    gpus: tuple[str, ...] | None = ()

    @property
    def settings(self) -> dict[str, Any]:
        """The config's keys for it."""
        if self.binary is None:
            return {"provider": EMBEDDED}
        layers = "0" if self.gpus == () else "99"  # older builds offload none by themselves
        arguments = {"server_binary": self.binary, "server_args": ["-ngl", layers]}
        return {"provider": "llama_server", **arguments}

    @property
    def free(self) -> FreeMemory:
        """The free memory that it takes models from."""
        return free_main_memory() if self.gpus == () else free_gpu_memory(None)

    def __str__(self) -> str:
        device = " + ".join(dict.fromkeys(self.gpus)) if self.gpus else None
        where = device or ("the CPU" if self.gpus == () else "what it finds")
        return f"on {where}" if self.binary is None else f"by {self.binary} on {where}"


def find_file_serving(server: str | None = None, cpu: bool = False) -> FileServing | None:
    """Return what serves files: the named server, else one on PATH that can use a GPU.

    Without either it is the embedded llama.cpp; None if that isn't installed.

    Args:
        server: Name or path of a llama-server.
        cpu: Serve on the CPU.

    Raises:
        ConfigError: The named server is not there, or doesn't run.
    """
    if server is not None:
        _refuse_unusable(server)
        gpus = () if cpu else _gpus(find_program(server) or server)
        return FileServing(server, gpus)
    on_path = None if cpu else shutil.which(_SERVER)
    if on_path and (gpus := _gpus(on_path)):
        return FileServing(_SERVER, gpus)
    return FileServing() if package_version(str(PROVIDERS[EMBEDDED].runtime)) else None


def _refuse_unusable(server: str) -> None:
    path = find_program(server)
    if path is None:
        raise ConfigError(
            [f"--server {server}: no such program; name the file llama-server itself, executable"]
        )
    try:
        known_flags(path)
    except LoadError as error:
        raise ConfigError([f"--server {server}: doesn't run: {error}"]) from None


def _gpus(binary: str) -> tuple[str, ...] | None:
    devices = listed_devices(binary)
    return None if devices is None else tuple(item.description for item in devices)
