"""A model behind llama.cpp's server, whoever started that: asked, and read back.

The embedded server and `llama-server` answer the same routes, so what they serve is read back and
asked in one way.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from orket_lib.artifacts.measurements.spec import ControlSettings
from orket_lib.artifacts.views.run_report import (
    ControlReadback,
    LoadTimes,
    Observation,
    ServedModel,
)
from orket_lib.providers.base import Generation, GenerationRequest
from orket_lib.providers.gguf.file import model_sha256, read_gguf
from orket_lib.providers.llama_cpp.client import LlamaClient, TokenChoice
from orket_lib.providers.llama_cpp.log import end_seen
from orket_lib.providers.wire.json_fields import count, section
from orket_lib.vocabulary.errors import ProviderError, RequestFailed, ServerCrashed
from orket_lib.vocabulary.failures import Ending, Phase
from orket_lib.vocabulary.nulls import Null
from orket_lib.vocabulary.quants import tag_of_ftype
from orket_lib.vocabulary.units import ALL_CPUS, cpus_of

Explain = Callable[[ProviderError], ProviderError]
# Waits so many seconds at most and returns how the server ended; None while it runs.
Death = Callable[[float], Ending | None]

_UNTOLD = Null("NOT_REPORTED")
_DYING_S = 0.2  # a dying server gets a moment to be dead
_THREADS = re.compile(rb"n_threads = (\d+)")


class LlamaModel:
    """A model that llama.cpp serves; see `Model`.

    Args:
        client: Of its server.
        pid: The serving process, where it is known.
        served: What is served, read back.
        controls: What became of the controls, read back.
        load: How long loading took.
        explain: Tells a failed request from a dead server: returns the error that it really is.
    """

    def __init__(
        self,
        client: LlamaClient,
        pid: int | None,
        served: ServedModel,
        controls: tuple[ControlReadback, ...],
        load: LoadTimes,
        explain: Explain,
    ) -> None:
        self._client = client
        self._explain = explain
        self.address = client.address
        self.pid = pid
        self.served = served
        self.controls = controls
        self.load = load

    def generate(self, request: GenerationRequest) -> Generation:
        """Answer one request; see `Model.generate`."""
        with explaining(self._explain):
            return self._client.stream_chat(request)

    def count_tokens(self, text: str) -> int:
        """Return the number of tokens of a text."""
        try:
            return self._client.count_tokens(text)
        except ProviderError as error:
            raise self._explain(error) from None

    def token_choices(self, request: GenerationRequest) -> tuple[TokenChoice, ...]:
        """Return what the model chose, token by token."""
        return self._client.token_choices(request)

    def disturbances(self) -> tuple[Observation, ...]:
        """Nobody else knows a server of our own: its key and port are random."""
        return ()


def explained_by(death: Death, log: Path) -> Explain:
    """Return what tells a failed request from the death of a server of ours.

    Args:
        death: Of that server.
        log: Its messages.
    """

    def explain(error: ProviderError) -> ProviderError:
        ended = death(_DYING_S)
        if ended is None:
            return error
        return ServerCrashed(f"{ended} ({error})", end_seen(ended, log, Phase.SERVING))

    return explain


@contextmanager
def explaining(explain: Explain) -> Iterator[None]:
    """Tell a failed request within the context from a dead server."""
    try:
        yield
    except RequestFailed as error:
        raise explain(error) from None


def read_back(
    props: dict[str, Any], artifact: Path | None, build: str, vram: Null = _UNTOLD
) -> ServedModel:
    """Return what is served, from the server's mouth and the file's bytes.

    Args:
        props: What the server says of itself.
        artifact: The file that it serves, where that can be read.
        build: What the server is.
        vram: Why it does not say how much GPU memory it takes.
    """
    tag = tag_of_ftype(props.get("model_ftype"))
    told: dict[str, Any] = {
        "path": str(props.get("model_path") or artifact),
        "quant_tag": tag,
        "quant_source": "/props model_ftype" if tag else None,
        "n_ctx": _context(props),
        "server_memory_mib": _UNTOLD,
        "server_vram_mib": vram,
        "build": build,
    }
    if artifact is None:
        unread = Null("NO_LOCAL_FILE")
        return ServedModel.of(**told, bytes=unread, bits_per_weight=unread)
    facts = read_gguf(artifact)
    return ServedModel.of(
        **told,
        # After the load on purpose: hashing first would warm the page cache under the load time.
        sha256=model_sha256(artifact),
        file_quant_tag=facts.quant_tag,
        bytes=facts.bytes,
        bits_per_weight=facts.bits_per_weight,
    )


def read_controls(
    asked: ControlSettings, client: LlamaClient, pid: int | None, log: Path | None
) -> Iterator[ControlReadback]:
    """Yield what became of each control that the spec names.

    Args:
        asked: The controls.
        client: Of the server.
        pid: The serving process, where it is known.
        log: The server's own log, where it is ours.
    """
    if asked.seed is not None:
        seed = client.sampler_settings(asked.seed).get("seed")
        yield _readback("seed", asked.seed, seed, "generation_settings of /completion")
    if asked.threads is not None:
        found = _THREADS.findall(log.read_bytes()) if log else []
        threads = int(found[-1]) if found else None
        yield _readback("threads", asked.threads, threads, "the server's own log")
    if asked.affinity_policy != ALL_CPUS:
        wanted = cpus_of(asked.affinity_policy)
        yield _readback("affinity_policy", wanted, _affinity(pid), "the operating system")


def _context(props: dict[str, Any]) -> int | Null:
    """Return the context of one slot."""
    n_ctx = count(section(props, "default_generation_settings"), "n_ctx")
    return _UNTOLD if n_ctx is None else n_ctx


def _readback(name: str, requested: object, applied: object, source: str) -> ControlReadback:
    return ControlReadback(
        name=name,
        requested=str(requested),
        applied=None if applied is None else str(applied),
        held=applied == requested,
        source=source,
    )


def _affinity(pid: int | None) -> list[int] | None:
    if pid is None:
        return None
    try:
        return sorted(psutil.Process(pid).cpu_affinity() or [])
    except (psutil.Error, AttributeError):  # macOS has no affinity
        return None
