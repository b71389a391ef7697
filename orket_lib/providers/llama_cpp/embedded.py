"""Provider `embedded`: llama.cpp's own server, from PyPI's `xllamacpp`, in a child process.

In a child process its memory can be measured as the model's own (T15), and a crash ends only the
child. It listens on a free loopback port and requires a random API key.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

from orket_lib.artifacts.measurements.spec import LOAD_FLAGS, MeasurementSpec
from orket_lib.artifacts.views.run_report import LoadTimes
from orket_lib.processes.json_child import JsonChild
from orket_lib.providers.base import Source
from orket_lib.providers.gguf.file import read_servable
from orket_lib.providers.llama_cpp.client import LlamaClient, LlamaRequests
from orket_lib.providers.llama_cpp.command_line import thread_count
from orket_lib.providers.llama_cpp.cpu_features import left_unused
from orket_lib.providers.llama_cpp.log import end_seen, starved_in, tail_of
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
from orket_lib.vocabulary.failures import Cause, FailureEvidence, Phase
from orket_lib.vocabulary.nulls import Null
from orket_lib.vocabulary.providers import LOAD_TIMEOUT_S
from orket_lib.vocabulary.units import cpus_of

_STOP_TIMEOUT_S = 5.0


class EmbeddedProvider(LlamaRequests):
    """Serves one GGUF file at a time in a child process."""

    serves_one_model = True

    @contextmanager
    def serve(self, spec: MeasurementSpec, source: Source, log: Path) -> Iterator[LlamaModel]:
        """Serve the spec's model until the context ends; see `Provider.serve`."""
        artifact = source.artifact
        assert artifact is not None
        key = secrets.token_hex(16)
        settings = {
            "model": str(artifact),
            "n_ctx": spec.n_ctx or 0,
            "threads": thread_count(spec),
            "cpus": cpus_of(spec.controls.affinity_policy),
            "load": {name: value for name, value in spec if name in LOAD_FLAGS},
            "api_key": key,
        }
        with log.open("wb") as messages:
            read_servable(artifact)
            child = JsonChild("orket_lib.providers.llama_cpp.embedded_child", settings, messages)
        client, explain = None, explained_by(child.death, log)
        try:
            with watched_file(artifact):
                answer = _converse(child, log)
                client = LlamaClient(answer["address"], key)
                if not client.healthy():
                    silent = LoadError("the server started and does not answer", Cause.TIMEOUT)
                    raise explain(silent)
                load_s = child.age_s
                with explaining(explain):
                    props = client.props()
                    served = read_back(
                        props,
                        artifact,
                        _build(props),
                        log,
                        vram=Null("NO_GPU_USED"),
                        unused=left_unused(answer["system_info"]),
                    )
                    controls = tuple(read_controls(spec, client, child.pid, log))
                load = LoadTimes.of(load_seconds=load_s, model_seconds=answer["model_seconds"])
                yield LlamaModel(client, child.pid, served, controls, load, explain)
        finally:
            if client:
                client.close()
            child.end(_STOP_TIMEOUT_S)


def _converse(child: JsonChild, log: Path) -> dict[str, Any]:
    """Return the child's answer to its settings.

    Args:
        child: The server's process.
        log: Its messages.

    Raises:
        LoadError: The child died, failed, or did not answer in time.
    """
    try:
        answer = child.answer(LOAD_TIMEOUT_S)
    except TimeoutError:
        raise LoadError(f"not loaded after {LOAD_TIMEOUT_S:g} s", Cause.TIMEOUT) from None
    if answer is None:
        ended = child.death(_STOP_TIMEOUT_S)
        raise LoadError(
            f"{ended or 'the server closed its pipe'} while loading",
            end_seen(ended, log, Phase.LOADING) if ended else Cause.UNKNOWN,
        )
    if "error" in answer:
        message = str(answer["error"])
        starved = starved_in(f"{message}\n{tail_of(log)}")
        cause = Cause.NOT_LOADED if answer["installed"] else Cause.NOT_SET_UP
        raise LoadError(message, FailureEvidence(cause, starved=starved))
    return answer


def _build(props: dict[str, Any]) -> str:
    return build_named(f"xllamacpp {version('xllamacpp')}", props)
