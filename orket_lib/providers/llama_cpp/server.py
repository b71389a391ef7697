"""Provider `llama_server`: the user's own `llama-server`, started for each cell, or one that runs.

Started, it is as much ours as the embedded one: a free loopback port behind a random key, one slot,
no cache, and it ends when we do. The binary is the user's, so that a build for their GPU is what is
measured. With `base_url` a server that runs already is used as it is, see `llama_running`.
"""

from __future__ import annotations

import secrets
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from orket_lib.artifacts.measurements.spec import MeasurementSpec
from orket_lib.artifacts.views.run_report import LoadTimes
from orket_lib.processes.port_owner import listeners
from orket_lib.processes.supervised_server import KeptServer, kept_server
from orket_lib.providers.base import Source
from orket_lib.providers.llama_cpp.attach import attached
from orket_lib.providers.llama_cpp.client import LlamaClient
from orket_lib.providers.llama_cpp.command_line import command_line, environment, find_binary
from orket_lib.providers.llama_cpp.log import end_seen, errors_in, tail_of
from orket_lib.providers.llama_cpp.model import (
    LlamaModel,
    explained_by,
    explaining,
    read_back,
    read_controls,
)
from orket_lib.providers.watched_file import watched_file
from orket_lib.vocabulary.errors import LoadError
from orket_lib.vocabulary.failures import Cause, Phase
from orket_lib.vocabulary.nulls import Null
from orket_lib.vocabulary.units import cpus_of

_BINARY = "llama-server"
_LOAD_TIMEOUT_S = 1800.0
_POLL_S = 0.01  # what a cold load time is exact to


class LlamaServerProvider:
    """Serves one model at a time with the user's own server."""

    @contextmanager
    def serve(self, spec: MeasurementSpec, source: Source, log: Path) -> Iterator[LlamaModel]:
        """Serve the spec's model until the context ends; see `Provider.serve`."""
        ways = started if source.place.base_url is None else attached
        with ways(spec, source, log) as model:
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
            f"`{spec.artifact.tag}` is a name on a server; one that we start has a file",
            Cause.NOT_SET_UP,
        )
    binary = find_binary(source.place.server_binary or _BINARY)
    key, port = secrets.token_hex(16), _free_port()
    command = command_line(binary, spec, artifact, port)
    cpus = cpus_of(spec.controls.affinity_policy)
    with (
        watched_file(artifact),
        kept_server(command, environment(spec, key), cpus, log) as server,
    ):
        client = LlamaClient(f"http://127.0.0.1:{port}", key)
        explain = explained_by(server.death, log)
        try:
            load_s = _wait_until_loaded(server, client, log)
            _require_ours(server, client)
            with explaining(explain):
                props = client.props()
                build = f"llama-server, llama.cpp {props.get('build_info')}"
                served = read_back(props, artifact, build)
                controls = tuple(read_controls(spec.controls, client, server.pid, log))
            load = LoadTimes.of(load_seconds=load_s, model_seconds=Null("NOT_REPORTED"))
            yield LlamaModel(client, server.pid, served, controls, load, explain)
        finally:
            client.close()


def _wait_until_loaded(server: KeptServer, client: LlamaClient, log: Path) -> float:
    """Return the seconds from the server's start until it has loaded its model.

    Raises:
        LoadError: It ended, in its own words, or took too long.
    """
    while not client.healthy():
        ended = server.death(_POLL_S)
        if ended is not None:
            said = errors_in(tail_of(log))
            raise LoadError(
                f"{ended} while loading" + (f": {said}" if said else ""),
                end_seen(ended, log, Phase.LOADING),
            )
        if time.perf_counter() - server.started_s > _LOAD_TIMEOUT_S:
            raise LoadError(f"not loaded after {_LOAD_TIMEOUT_S:g} s", Cause.TIMEOUT)
    return time.perf_counter() - server.started_s


def _require_ours(server: KeptServer, client: LlamaClient) -> None:
    """Make sure that who answers is who we started, and alone on its port.

    Raises:
        LoadError: Somebody else was faster; nothing is measured on their server.
    """
    url = client.address.base_url
    others = listeners(url) - {server.pid}
    if others:
        named = ", ".join("of somebody else" if pid is None else str(pid) for pid in others)
        told = f"{url}: another process ({named}) listens there, too; start again"
        raise LoadError(told, Cause.PORT_TAKEN)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
