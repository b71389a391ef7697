"""What measuring costs: the client against a raw socket, the sampler on against off.

Both are paired and alternate, so that a machine that becomes faster or slower does so for both. A
chunk of the fast server carries the server's own clock, which is the clock of this machine too, so
the lateness of every single chunk is known.
"""

from __future__ import annotations

import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from orket_lib.artifacts.measurements.spec import MeasurementSpec
from orket_lib.measure.speed.probe_prompts import ProbeMaker
from orket_lib.measure.speed.token_metrics import Tokens
from orket_lib.processes.json_child import kill
from orket_lib.processes.time_limit import within
from orket_lib.providers.base import Generation, GenerationRequest, Model, Source
from orket_lib.providers.llama_cpp.client import LlamaClient, llama_tokens
from orket_lib.providers.registry import provider_for
from orket_lib.providers.wire.chat_stream import assemble
from orket_lib.providers.wire.http import StampedStream
from orket_lib.telemetry.sampler import sampling
from orket_lib.vocabulary.errors import ProviderError
from orket_lib.vocabulary.nulls import Null

CHUNKS = 32
_FAST_SERVER = Path(__file__).with_name("fast_server.py")
_LONG = 512  # tokens; about a third of a second of the reference model
_SPACING_US = 250  # about what a very fast model needs for a token
_PATIENCE_S = 30.0  # with our own server, which has nothing else to do
_REQUEST = GenerationRequest("x", CHUNKS, 0.0, None, 30.0)


@dataclass(frozen=True)
class Estimate:
    """A median with its 95 % confidence interval (exact, by order statistics)."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Estimate:
        """Return the median of at least six values and its interval."""
        from scipy.stats import binom

        ordered = sorted(values)
        # The interval from the k-th smallest to the k-th largest value misses the median with
        # probability 2 P(X < k), X binomial; the largest k that keeps this under 5 %.
        outside = int(binom.ppf(0.025, len(ordered), 0.5))
        return cls(statistics.median(ordered), ordered[outside - 1], ordered[-outside])


@dataclass(frozen=True)
class ClientOverhead:
    """What our client adds to a raw socket's readings, in milliseconds."""

    pairs: int
    ttft_ms: Estimate
    chunk_ms: Estimate


@dataclass(frozen=True)
class SamplerOverhead:
    """What the sampler adds to the time of a decoded token, as a share."""

    pairs: int
    decode_ratio: Estimate


def client_overhead(pairs: int) -> ClientOverhead:
    """Return what the client adds to TTFT and to the arrival of a chunk."""
    ttft, late = [], []
    with fast_server() as port:
        client = LlamaClient(f"http://127.0.0.1:{port}")
        for index in range(pairs + 1):
            if index % 2:
                raw, ours = _raw_stream(port), client.stream_chat(_REQUEST)
            else:
                ours, raw = client.stream_chat(_REQUEST), _raw_stream(port)
            if index == 0:
                continue  # imports and caches
            ttft.append((ours.chunk_s[0] - raw.chunk_s[0]) * 1000)
            late.append((_lateness_s(ours) - _lateness_s(raw)) * 1000)
        client.close()
    return ClientOverhead(pairs, Estimate.of(ttft), Estimate.of(late))


def sampler_overhead(
    spec: MeasurementSpec, source: Source, folder: Path, pairs: int
) -> SamplerOverhead:
    """Return what the sampler adds to the decode time of a real model.

    One sampler lives all the time and is suspended for one generation of each pair: two neighbours
    differ in nothing else, and are long enough for several samples to fall into each.

    Args:
        spec: What to serve.
        source: From where it is served.
        folder: For the server's log and the samples.
        pairs: Generations with the sampler, and as many without.
    """
    ratios = []
    with (
        provider_for(spec.provider).serve(spec, source, folder / "server.log") as model,
        sampling(folder / "samples.csv", model.pid, time.monotonic()) as running,
    ):
        sampler, maker = psutil.Process(running.pid), ProbeMaker(model, spec)
        _decode_s(model, maker)  # warm-up
        try:
            for index in range(pairs):
                seconds: dict[bool, float] = {}
                for sampled in (True, False) if index % 2 else (False, True):
                    if sampled:
                        sampler.resume()
                    else:
                        sampler.suspend()
                    seconds[sampled] = _decode_s(model, maker)
                ratios.append(seconds[True] / seconds[False] - 1)
        finally:
            sampler.resume()  # a suspended one would not hear that it is over
    return SamplerOverhead(pairs, Estimate.of(ratios))


def _decode_s(model: Model, maker: ProbeMaker) -> float:
    """Return the decode time of one long generation, by the server's own clock."""
    seconds = Tokens.of(model.generate(maker.request(_LONG)), None).decode_s
    if isinstance(seconds, Null):
        raise ProviderError("the server sends no generation time")
    return seconds


def _lateness_s(generation: Generation) -> float:
    """Return the mean age of the chunks on arrival, relative to the first one's."""
    sent = [float(word) for word in generation.text.split()]
    ages = [seen - at for seen, at in zip(generation.chunk_s, sent, strict=True)]
    return statistics.fmean(ages[1:]) - ages[0]


def _raw_stream(port: int) -> Generation:
    """Read a stream with nothing but a socket, stamped the same way."""
    body = b'{"stream": true}'
    request = b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(
        body
    )
    reads: list[tuple[float, bytes]] = []
    with socket.create_connection(("127.0.0.1", port), _PATIENCE_S) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        written = time.perf_counter()
        connection.sendall(request + body)
        while data := connection.recv(65536):
            reads.append((time.perf_counter(), data))
    return assemble(StampedStream(_without_framing(reads), written, None), llama_tokens)


def _without_framing(reads: Sequence[tuple[float, bytes]]) -> list[tuple[float, bytes]]:
    """Drop the HTTP head and chunk sizes, which are no lines of the event stream."""
    kept = []
    for at_s, data in reads:
        lines = data.replace(b"\r\n", b"\n").split(b"\n\n")
        events = [part[part.index(b"data:") :] for part in lines if b"data:" in part]
        kept.append((at_s, b"".join(event + b"\n\n" for event in events)))
    return kept


@contextmanager
def fast_server(chunks: int = CHUNKS) -> Iterator[int]:
    """Run the fast server, which streams so many chunks, and yield its port."""
    child = subprocess.Popen(
        [sys.executable, str(_FAST_SERVER), str(chunks), str(_SPACING_US)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdin is not None
    assert child.stdout is not None
    try:
        yield int(within(_PATIENCE_S, child.stdout.readline))
    finally:
        child.stdin.close()
        try:
            child.wait(_PATIENCE_S)
        except subprocess.TimeoutExpired:
            kill(child)
        child.stdout.close()
