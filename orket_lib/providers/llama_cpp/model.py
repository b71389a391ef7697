"""A model behind llama.cpp's server: its requests, and its identity read back.

The embedded server and `llama-server` have the same routes, so both are used in the same way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from orket_lib.artifacts.measurements.spec import MeasurementSpec
from orket_lib.artifacts.views.run_report import (
    ControlReadback,
    LoadTimes,
    Observation,
    ServedModel,
)
from orket_lib.providers.base import NOT_REPORTED, Generation, GenerationRequest, reported
from orket_lib.providers.gguf.file import model_sha256, read_gguf
from orket_lib.providers.gguf.memory_estimate import shape_of
from orket_lib.providers.llama_cpp.client import LlamaClient
from orket_lib.providers.llama_cpp.load_log import kv_cache_in, load_readbacks, threads_in
from orket_lib.providers.llama_cpp.log import end_seen
from orket_lib.providers.llama_cpp.scorer import LlamaScorer
from orket_lib.providers.thinking_check import (
    as_accepted,
    budget_readback,
    thinking_readback,
)
from orket_lib.providers.wire.json_fields import count, section, text
from orket_lib.vocabulary.errors import ProviderError, RequestFailed, ServerCrashed
from orket_lib.vocabulary.failures import Ending, Phase
from orket_lib.vocabulary.nulls import Null
from orket_lib.vocabulary.quants import tag_of_ftype
from orket_lib.vocabulary.units import ALL_CPUS, cpus_of

Explain = Callable[[ProviderError], ProviderError]
# Waits for at most this many seconds and returns how the server ended; None while it runs.
Death = Callable[[float], Ending | None]

_DYING_S = 0.2  # a crashing server needs a moment to end


class LlamaModel:
    """A model that llama.cpp serves; see `Model`.

    Args:
        client: Of its server.
        pid: The serving process, where it is known.
        served: What is served, read back.
        controls: The controls, read back.
        load: How long loading took.
        explain: Returns the error behind a failed request, such as a server that crashed.
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
            return self._client.stream_chat(as_accepted(request, self.controls))

    def count_tokens(self, text: str) -> int:
        """Return the number of tokens of a text."""
        try:
            return self._client.count_tokens(text)
        except ProviderError as error:
            raise self._explain(error) from None

    def takes_tools(self) -> bool | None:
        """Return whether the chat template takes tools; older builds don't say it."""
        with explaining(self._explain):
            takes = section(self._client.props(), "chat_template_caps").get("supports_tools")
        return takes if isinstance(takes, bool) else None

    def scorer(self, timeout_s: float) -> LlamaScorer:
        """Return what asks for probabilities; see `Model.scorer`."""
        with explaining(self._explain):
            cards = self._client.models()
        size = count(section(cards[0], "meta"), "n_vocab") if cards else None
        return LlamaScorer(
            self.address,
            self._client.named,
            size,
            timeout_s,
            lambda: explaining(self._explain),
        )

    def disturbances(self) -> tuple[Observation, ...]:
        """Return nothing: no other client knows the random key and port of our own server."""
        return ()


def explained_by(death: Death, log: Path) -> Explain:
    """Return the function that recognizes the crash of our own server behind a failed request.

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
    """Raise the error behind a failed request within the context."""
    try:
        yield
    except RequestFailed as error:
        raise explain(error) from None


def build_named(program: str, props: dict[str, Any]) -> str:
    """Return the build of a server, in words, even if it doesn't tell it."""
    return f"{program}, llama.cpp {text(props, 'build_info') or 'of an unknown build'}"


def read_back(
    props: dict[str, Any],
    artifact: Path | None,
    build: str,
    log: Path | None = None,
    vram: float | Null = NOT_REPORTED,
    unused: tuple[str, ...] = (),
) -> ServedModel:
    """Return what is served, as reported by the server and read from the file.

    Args:
        props: The server's `GET /props`.
        artifact: The file that it serves, where that can be read.
        build: Of the server.
        log: Its log, where we started it.
        vram: Its GPU memory in MiB, or why that is not reported.
        unused: Features of this CPU that the build doesn't use.
    """
    tag = tag_of_ftype(props.get("model_ftype"))
    facts: dict[str, Any] = {
        "path": str(props.get("model_path") or artifact),
        "quant_tag": tag,
        "quant_source": "/props model_ftype" if tag else None,
        "n_ctx": reported(count(section(props, "default_generation_settings"), "n_ctx")),
        "server_memory_mib": NOT_REPORTED,
        "server_vram_mib": vram,
        "build": build,
        "unused_cpu_features": unused,
    }
    if artifact is None:
        unread = Null("NO_LOCAL_FILE")
        return ServedModel.of(**facts, bytes=unread, bits_per_weight=unread)
    of_file = read_gguf(artifact)
    return ServedModel.of(
        **facts,
        # After the load on purpose: hashing first would warm the page cache and shorten the load.
        sha256=model_sha256(artifact),
        file_quant_tag=of_file.quant_tag,
        bytes=of_file.bytes,
        bits_per_weight=of_file.known_bits,
        kv_cache=kv_cache_in(log, shape_of(of_file.metadata)) if log else None,
    )


def read_controls(
    spec: MeasurementSpec, client: LlamaClient, pid: int | None, log: Path | None
) -> Iterator[ControlReadback]:
    """Yield the read-back of each control that the spec names.

    Args:
        spec: With the controls.
        client: Of the server.
        pid: The serving process, where it is known.
        log: The server's log, where we started it.
    """
    asked = spec.controls
    yield from load_readbacks(spec, log)
    if spec.thinking:
        yield thinking_readback(client.stream_chat, spec.thinking)
    if spec.thinking_budget:
        yield budget_readback(client.stream_chat, client.count_tokens, spec)
    if asked.seed is not None:
        seed = client.sampler_settings(asked.seed).get("seed")
        yield _readback("seed", asked.seed, seed, "generation_settings of /completion")
    if asked.threads is not None:
        threads = threads_in(log) if log else None
        yield _readback("threads", asked.threads, threads, "the server's own log")
    if asked.affinity_policy != ALL_CPUS:
        wanted = cpus_of(asked.affinity_policy)
        yield _readback("affinity_policy", wanted, _affinity(pid), "the operating system")


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
