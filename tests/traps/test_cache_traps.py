"""T7 and T21: no request profits from an earlier one, neither its cache nor its connection."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from builders import session
from nano import bank, nano_spec, row_of

from orket_lib.artifacts.views.run_report import Observation, Probe, RunReport
from orket_lib.measure.session.session import OpenSession
from orket_lib.measure.speed.probe_prompts import ProbeMaker
from orket_lib.measure.speed.probes import run_probe
from orket_lib.measure.speed.token_metrics import Tokens
from orket_lib.providers.base import Generation, GenerationRequest
from orket_lib.providers.llama_cpp.client import LlamaClient
from orket_lib.providers.llama_cpp.model import LlamaModel
from orket_lib.vocabulary.reasons import Reason
from orket_lib.vocabulary.statuses import Lane


class ScriptedModel:
    """A model behind our real client and a server that sends what a test wants."""

    def __init__(self, cached: int) -> None:
        self.served = session().served
        usage = {
            "prompt_tokens": 533,
            "completion_tokens": 128,
            "prompt_tokens_details": {"cached_tokens": cached},
        }
        timings = {
            "cache_n": cached,
            "prompt_n": 533 - cached,
            "prompt_ms": 50.0,
            "predicted_ms": 80.0,
        }
        delta = {"choices": [{"index": 0, "delta": {"content": "a "}, "finish_reason": None}]}
        last: dict[str, Any] = {"choices": [], "usage": usage, "timings": timings}
        self._events = [f"data: {json.dumps(item)}\n\n".encode() for item in (*[delta] * 128, last)]
        transport = httpx.MockTransport(lambda _: httpx.Response(200, content=self._body()))
        self._client = LlamaClient("http://127.0.0.1:1", None, transport)

    def _body(self) -> Iterator[bytes]:
        yield from self._events
        yield b"data: [DONE]\n\n"

    def generate(self, request: GenerationRequest) -> Generation:
        return self._client.stream_chat(request)

    def count_tokens(self, text: str) -> int:
        return len(text.split())

    def takes_tools(self) -> None: ...

    def scorer(self, timeout_s: float) -> None: ...

    def disturbances(self) -> tuple[Observation, ...]:
        return ()


def probe_with(cached: int) -> Probe:
    """Return a probe of a server that reports so many cached tokens; its template has 2."""
    model: Any = ScriptedModel(cached)
    try:
        maker = ProbeMaker(model, nano_spec("Q2_K"))
        return run_probe(OpenSession(model, session(), maker, 0.0), 0)
    finally:
        model._client.close()


def test_t07_the_same_prompt_twice_is_processed_twice(model: LlamaModel, maker: ProbeMaker) -> None:
    request = maker.request()
    for _ in range(2):
        found = Tokens.of(model.generate(request), None)
        assert found.cached == 0
        assert found.uncached == found.prompt


def test_t07_graded_questions_are_processed_anew_in_every_run(measured: RunReport) -> None:
    for run in measured.test_runs:
        raw = run.telemetry.token_metrics.audit.raw_timings
        assert raw is not None
        assert raw["cache_n"] == 0
    assert {item.cached_tokens for item in measured.probes} == {0}


def test_t07_no_two_probes_begin_alike(maker: ProbeMaker) -> None:
    starts = [maker.request().prompt[:16] for _ in range(20)]
    assert len(set(starts)) == 20
    assert len({start[:4] for start in starts}) > 1


@pytest.mark.parametrize(
    ("cached", "hit"), [(0, False), (2 + 16, False), (2 + 17, True), (533, True)]
)
def test_t07_tokens_from_a_cache_beyond_the_template_are_a_reason(cached: int, hit: bool) -> None:
    found = probe_with(cached)
    assert found.cached_tokens == cached
    assert [seen.reason for seen in found.observations] == [Reason.PREFIX_CACHE_HIT] * hit
    if hit:
        assert f"{cached} of 533 prompt tokens" in found.observations[0].evidence


def test_t07_one_hit_pollutes_its_row(measured: RunReport) -> None:
    spoiled = measured.model_copy(update={"probes": (*measured.probes, probe_with(500))})
    row = row_of(spoiled, Lane.LAB)
    assert Reason.PREFIX_CACHE_HIT in [seen.reason for seen in row.run_quality_reasons]
    assert not row.valid


def test_t21_many_requests_in_a_row_each_have_a_connection_of_their_own(
    model: LlamaModel,
) -> None:
    connects = []
    for count in range(120):
        prompt = bank().tasks[count % 30].prompt
        request = GenerationRequest(prompt, max_tokens=4, temperature=0.0, seed=7, timeout_s=30.0)
        connects.append(model.generate(request).connect_s)
    without = [count for count, seconds in enumerate(connects) if seconds is None]
    assert without == [], "requests that took over an earlier one's connection"
    assert all(seconds > 0 for seconds in connects if seconds is not None)


def test_t21_connecting_is_not_in_the_time_to_the_first_token(
    model: LlamaModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    import socket
    import time

    connect = socket.create_connection

    def slow_network(*arguments: Any, **options: Any) -> Any:
        time.sleep(0.5)
        return connect(*arguments, **options)

    monkeypatch.setattr(socket, "create_connection", slow_network)
    request = GenerationRequest("2 + 2", max_tokens=4, temperature=0.0, seed=7, timeout_s=30.0)
    found = model.generate(request)
    assert found.connect_s is not None
    assert found.connect_s >= 0.5
    assert found.chunk_s[0] < 0.5
