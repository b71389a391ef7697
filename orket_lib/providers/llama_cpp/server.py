"""Provider `llama_server`: the user's own `llama-server`, started for each cell or running already.

A server that is started has a free loopback port, a random key, one slot and no cache, and ends
with its cell. The binary is the user's, so that their build for their GPU is measured. With
`base_url`, a running server is used as it is, see `attach`.
"""

from __future__ import annotations

import secrets
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from orket_lib.artifacts.measurements.spec import MeasurementSpec
from orket_lib.artifacts.views.run_report import LoadTimes
from orket_lib.processes.port_owner import listeners
from orket_lib.processes.supervised_server import SupervisedServer, supervised_server
from orket_lib.providers.base import NOT_REPORTED, Source
from orket_lib.providers.gguf.file import read_servable
from orket_lib.providers.llama_cpp.attach import attached
from orket_lib.providers.llama_cpp.binary import find_binary
from orket_lib.providers.llama_cpp.client import LlamaClient, LlamaRequests
from orket_lib.providers.llama_cpp.command_line import command_line, environment
from orket_lib.providers.llama_cpp.load_log import in_main_memory
from orket_lib.providers.llama_cpp.log import end_seen, errors_in, tail_of
from orket_lib.providers.llama_cpp.model import (
    LlamaModel,
    build_named,
    explained_by,
    explaining,
    read_back,
    read_controls,
)
from orket_lib.providers.watched_file import watched_file
from orket_lib.vocabulary.errors import LoadError
from orket_lib.vocabulary.failures import Cause, Phase
from orket_lib.vocabulary.providers import LOAD_TIMEOUT_S, PROVIDERS
from orket_lib.vocabulary.units import cpus_of

_BINARY = str(PROVIDERS["llama_server"].binary)
_POLL_S = 0.01  # the resolution of a cold load time


class LlamaServerProvider(LlamaRequests):
    """Serves one model at a time with the user's own server."""

    @contextmanager
    def serve(self, spec: MeasurementSpec, source: Source, log: Path) -> Iterator[LlamaModel]:
        """Serve the spec's model until the context ends; see `Provider.serve`."""
        opened = started if source.place.base_url is None else attached
        with opened(spec, source, log) as model:
            yield model


@contextmanager
def started(spec: MeasurementSpec, source: Source, log: Path) -> Iterator[LlamaModel]:
    """Start a server for the cell, and end it when the context ends.

    Raises:
        LoadError: The binary is not there or does not run, or the model does not load.
    """
    artifact = source.artifact
    if artifact is None:
        raise LoadError(
            f"`{spec.artifact.tag}` is a name on a server; a server that is started needs a file",
            Cause.NOT_SET_UP,
        )
    log.write_bytes(b"")
    read_servable(artifact)
    binary = find_binary(source.place.server_binary or _BINARY)
    key, port = secrets.token_hex(16), _free_port()
    command = command_line(binary, spec, artifact, port)
    cpus = cpus_of(spec.controls.affinity_policy)
    with (
        watched_file(artifact),
        supervised_server(command, environment(spec, key), cpus, log) as server,
    ):
        client = LlamaClient(f"http://127.0.0.1:{port}", key)
        explain = explained_by(server.death, log)
        try:
            load_s = _wait_until_loaded(server, client, log)
            serving = _require_ours(server, client)
            with explaining(explain):
                props = client.props()
                build = build_named("llama-server", props)
                vram = 0.0 if in_main_memory(log) else NOT_REPORTED
                served = read_back(props, artifact, build, log, vram)
                controls = tuple(read_controls(spec, client, serving, log))
            load = LoadTimes.of(load_seconds=load_s, model_seconds=NOT_REPORTED)
            yield LlamaModel(client, server.pid, served, controls, load, explain)
        finally:
            client.close()


def _wait_until_loaded(server: SupervisedServer, client: LlamaClient, log: Path) -> float:
    """Return the seconds from the server's start until it has loaded its model.

    Raises:
        LoadError: It ended, which is reported with its own error messages, or took too long.
    """
    while not client.healthy():
        ended = server.death(_POLL_S)
        if ended is not None:
            errors = errors_in(tail_of(log))
            raise LoadError(
                f"{ended} while loading" + (f": {errors}" if errors else ""),
                end_seen(ended, log, Phase.LOADING),
            )
        if time.perf_counter() - server.started_s > LOAD_TIMEOUT_S:
            raise LoadError(f"not loaded after {LOAD_TIMEOUT_S:g} s", Cause.TIMEOUT)
    return time.perf_counter() - server.started_s


def _require_ours(server: SupervisedServer, client: LlamaClient) -> int:
    """Return the process that serves; it is the only one on its port, and ours.

    If the binary is a script, that is a process that the script started.

    Raises:
        LoadError: Another process took the port first; its server must not be measured.
    """
    url = client.address.base_url
    with suppress(psutil.NoSuchProcess):  # dead already, which the next request tells
        family = {it.pid for it in psutil.Process(server.pid).children(recursive=True)}
        found = listeners(url)
        others = found - family - {server.pid}
        if others:
            named = ", ".join("of another user" if pid is None else str(pid) for pid in others)
            message = f"{url}: another process ({named}) listens there, too; start again"
            raise LoadError(message, Cause.PORT_TAKEN)
        below = found & family
        return min(filter(None, below)) if below else server.pid
    return server.pid


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
