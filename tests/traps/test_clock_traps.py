"""T4, T5, T6, T13, T19, T20: what is counted, from when to when, and where it is rounded."""

from __future__ import annotations

import json
import statistics
from dataclasses import dataclass, field, replace
from itertools import chain, repeat
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from builders import STRICT, generation, metrics, probe, report, served, spec
from nano import bank, row_of

from orket_lib.analysis.frontier import FrontierPolicy, baseline_of, eligible_rows
from orket_lib.artifacts.views.run_report import RunReport, ServedModel
from orket_lib.measure.speed.calibration import calibrate
from orket_lib.measure.speed.probe_prompts import OUTPUT_TOKENS, ProbeMaker
from orket_lib.measure.speed.token_metrics import Tokens
from orket_lib.measure.speed.warmup import CAP, is_steady, warm_up
from orket_lib.providers.base import Generation, GenerationRequest
from orket_lib.providers.llama_cpp.client import LlamaClient, llama_tokens
from orket_lib.providers.llama_cpp.model import LlamaModel
from orket_lib.providers.wire import chat_stream, http
from orket_lib.providers.wire.chat_stream import assemble
from orket_lib.providers.wire.events import json_object
from orket_lib.providers.wire.http import StampedStream
from orket_lib.vocabulary.nulls import Null
from orket_lib.vocabulary.statuses import Lane, Quality
from orket_lib.vocabulary.thresholds import exceeds, reaches

USAGE = {"prompt_tokens": 64, "completion_tokens": 32}
TIMINGS = {"cache_n": 0, "prompt_n": 64, "prompt_ms": 100.0, "predicted_ms": 310.0}
REQUEST = GenerationRequest("a", max_tokens=32, temperature=0.0, seed=7, timeout_s=30.0)


def event(delta: dict[str, Any] | None = None, **more: Any) -> bytes:
    """Return one event of a stream."""
    choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": None}]
    return f"data: {json.dumps({'choices': choices, **more})}\n\n".encode()


ROLE, EMPTY = event({"role": "assistant", "content": None}), event({"content": ""})
LAST = event(usage=USAGE, timings=TIMINGS)
DONE = b"data: [DONE]\n\n"


def streamed(*reads: bytes) -> Generation:
    """Return what the client makes of a server that sends these bytes."""
    transport = httpx.MockTransport(lambda _: httpx.Response(200, content=iter(reads)))
    client = LlamaClient("http://127.0.0.1:1", None, transport)
    try:
        return client.stream_chat(REQUEST)
    finally:
        client.close()


# T4


@pytest.mark.alone
def test_t04_decode_rate_is_not_inflated_by_the_first_token(
    model: LlamaModel, maker: ProbeMaker
) -> None:
    # One token of 16 is 6.7 %. What delays our reading of the first chunk makes our clock run
    # short, so the least disturbed of many generations tell.
    known = calibrate(model, maker)
    ratios = []
    for _ in range(25):
        found = Tokens.of(model.generate(maker.request(16)), known.decode_clock)
        assert not isinstance(found.decode_tps, Null)
        assert not isinstance(found.span_s, Null)
        ratios.append(found.decode_tps / (15 / found.span_s))
    *_, upper_fifth = statistics.quantiles(ratios, n=5)
    assert 0.90 < upper_fifth < 1.04, f"server's rate / client's rate; {known}"


@dataclass
class OtherServer:
    """A server whose clock starts when the prompt is done: one token costs one token's time."""

    first_token_s: float
    served: ServedModel = field(default_factory=served)

    def generate(self, request: GenerationRequest) -> Generation:
        count = request.max_tokens
        return generation(
            chunk_s=tuple(0.5 + 0.01 * index for index in range(count)),
            usage={"prompt_tokens": 64, "completion_tokens": count},
            timings={
                "prompt_ms": 1.0,
                "predicted_ms": 1000 * (self.first_token_s + 0.01 * (count - 1)),
            },
        )

    def count_tokens(self, text: str) -> int:
        return 60

    def takes_tools(self) -> None: ...

    def scorer(self, timeout_s: float) -> None: ...


@pytest.mark.parametrize(
    ("first_token_s", "clock"),
    [(0.0, "first_token"), (0.0001, "first_token"), (0.01, "prompt_end")],
)
def test_t04_the_start_of_a_servers_clock_is_found_out_and_not_assumed(
    first_token_s: float, clock: str
) -> None:
    other: Any = OtherServer(first_token_s)
    found = calibrate(other, ProbeMaker(other, spec()))
    assert found.decode_clock == clock
    assert found.template_tokens == 4
    tokens = Tokens.of(other.generate(replace(REQUEST, max_tokens=32)), found.decode_clock)
    assert tokens.decode_tps == pytest.approx(100.0, rel=0.001)


# T5


def test_t05_tokens_are_not_counted_by_chunks() -> None:
    bundled = [event({"content": "four words and more "}) for _ in range(8)]
    for reads in ([ROLE, *bundled, LAST, DONE], [b"".join([ROLE, *bundled, LAST, DONE])]):
        found = Tokens.of(streamed(*reads), "first_token")
        assert found.output == 32
        assert found.decode_tps == pytest.approx(31 / 0.31)


def test_t05_a_real_answer_has_as_many_tokens_as_its_server_says(model: LlamaModel) -> None:
    differs = 0
    for task in bank().tasks[::24]:
        answer = model.generate(replace(REQUEST, prompt=task.prompt, max_tokens=96))
        assert answer.usage is not None
        assert Tokens.of(answer, None).output == answer.usage["completion_tokens"]
        differs += len(answer.chunk_s) != answer.usage["completion_tokens"]
    assert differs, "with one chunk for each token this test could not fail"


def test_t05_without_a_count_from_the_server_there_is_none() -> None:
    found = Tokens.of(streamed(ROLE, *[event({"content": "a "})] * 40, DONE), "first_token")
    assert found.output == Null("TOKEN_COUNT_UNAVAILABLE")
    assert found.decode_tps == Null("TOKEN_COUNT_UNAVAILABLE")


# T6


@pytest.mark.parametrize("content", [{"content": "a"}, {"reasoning_content": "a"}])
def test_t06_ttft_is_the_first_content_and_not_the_first_chunk(content: dict[str, str]) -> None:
    reads = [(1.1, ROLE), (1.2, EMPTY), (3.0, event(content)), (3.5, event(content)), (9.0, DONE)]
    found = Tokens.of(assemble(StampedStream(reads, 1.0, None), llama_tokens), None)
    assert found.ttft_ms == pytest.approx(2000.0)
    assert found.client_decode_s == pytest.approx(0.5)


def test_t06_an_answer_of_empty_chunks_has_no_ttft() -> None:
    found = Tokens.of(streamed(ROLE, EMPTY, EMPTY, LAST, DONE), None)
    assert found.ttft_ms == Null("NO_CONTENT")
    assert found.total_s == Null("NO_CONTENT")


def test_t06_parsing_takes_no_time_of_the_measurement(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]

    def slow_parser(text: str) -> dict[str, Any]:
        now[0] += 5.0
        return json_object(text)

    monkeypatch.setattr(chat_stream, "json_object", slow_parser)
    monkeypatch.setattr(http, "time", SimpleNamespace(perf_counter=lambda: now[0]))
    found = streamed(ROLE, event({"content": "a"}), event({"content": "b"}), LAST, DONE)
    assert found.chunk_s == (0.0, 0.0)


# T13


def test_t13_warm_up_goes_on_until_the_last_three_are_steady() -> None:
    falling = chain((8.0, 6.0, 4.5, 3.0, 2.0, 1.4), repeat(1.0))
    found = warm_up(lambda: next(falling), required=2)
    assert len(found.decode_seconds) == 9
    assert found.steady


def test_t13_a_model_that_never_gets_steady_stops_at_the_cap_and_says_so() -> None:
    halving = (2.0**-count for count in range(1000))
    found = warm_up(lambda: next(halving), required=2)
    assert len(found.decode_seconds) == CAP
    assert not found.steady


def test_t13_a_real_session_keeps_what_its_warm_up_discarded(measured: RunReport) -> None:
    warmth = measured.sessions[0].warmup
    assert warmth.required == 2
    assert len(warmth.decode_seconds) >= 3
    assert is_steady(warmth.decode_seconds) or len(warmth.decode_seconds) == CAP
    assert warmth.steady is is_steady(warmth.decode_seconds)
    assert len(measured.probes) == 2, "no warm-up is a probe"


# T19


@pytest.mark.parametrize(("tokens", "known"), [(2, False), (15, False), (16, True)])
def test_t19_a_short_answer_has_no_rate(
    model: LlamaModel, maker: ProbeMaker, tokens: int, known: bool
) -> None:
    found = Tokens.of(model.generate(maker.request(tokens)), "first_token")
    assert found.output == tokens
    assert (found.decode_tps != Null("TOO_FEW_OUTPUT_TOKENS")) is known


def test_t19_a_cell_of_short_probes_has_no_rate() -> None:
    short = probe(output_tokens=15, decode_intervals=14)
    row = row_of(report(probes=(probe(), short)))
    assert row.generation_tokens_per_second is None
    assert row.null_reasons["generation_tokens_per_second"] == "TOO_FEW_OUTPUT_TOKENS"


def test_t19_probes_have_one_length_whatever_the_model_would_say(
    model: LlamaModel, measured: RunReport
) -> None:
    assert {item.output_tokens for item in measured.probes} == {OUTPUT_TOKENS}
    question = replace(REQUEST, prompt=bank().tasks[0].prompt, max_tokens=64)
    assert Tokens.of(model.generate(question), None).output != 64, "it ends by itself"
    forced = Tokens.of(model.generate(replace(question, ignore_eos=True)), None)
    assert forced.output == 64


# T20


def test_t20_a_value_at_its_threshold_is_no_victim_of_the_last_bit() -> None:
    assert 0.8 * 0.9 != 0.72, "what makes the exact comparison wrong"
    assert reaches(0.72, 0.8 * 0.9)
    assert not exceeds(0.1 + 0.2, 0.3)


def test_t20_a_quant_that_keeps_exactly_the_asked_for_share_is_eligible() -> None:
    rows = [metrics("F16", 16.0, adherence_score=0.9), metrics("Q4_0", 4.5, adherence_score=0.72)]
    policy = FrontierPolicy(adherence_threshold=0.8, latency_ceiling=10.0, include_invalid=False)
    baseline = baseline_of(rows, include_invalid=False)
    assert baseline is not None
    eligible = eligible_rows(rows, baseline, policy, Lane.LAB)
    assert [row.quant_tag for row in eligible] == ["F16", "Q4_0"]


def test_t20_a_rate_equal_to_its_policy_is_fine() -> None:
    policy = STRICT.model_copy(update={"max_orchestration_overhead_ratio": 0.3})
    ratio = 0.1 + 0.2
    assert ratio > 0.3, "by the last bit"
    found = report()
    runs = [
        run.model_copy(
            update={
                "telemetry": run.telemetry.model_copy(
                    update={"orchestration_overhead_ratio": ratio}
                )
            }
        )
        for run in found.test_runs
    ]
    row = row_of(found.model_copy(update={"test_runs": tuple(runs)}), Lane.LAB, policy)
    assert row.run_quality_status is Quality.CLEAN


def test_t20_nothing_is_rounded_before_it_is_divided(measured: RunReport) -> None:
    row = row_of(measured)
    intervals = sum(item.decode_intervals or 0 for item in measured.probes)
    seconds = sum(item.decode_seconds or 0.0 for item in measured.probes)
    assert row.generation_tokens_per_second == intervals / seconds
    for item in measured.probes:
        assert item.decode_intervals is not None
        assert item.decode_seconds is not None
        assert item.generation_tokens_per_second == item.decode_intervals / item.decode_seconds
