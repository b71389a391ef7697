"""What a runner's command printed, and what is taken for its result."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from sidecar_builders import captured
from strategies import NEGATIVE, NO_FINITE_NUMBER, NO_NUMBER_AT_ALL

from orket_lib.artifacts.measurements.sidecar import CapturedText
from orket_lib.artifacts.measurements.tool_calls import ToolCall
from orket_lib.measure.runs.runner_result import (
    NoResult,
    RunnerResult,
    internal_seconds,
    read_result,
    token_metrics,
)
from orket_lib.processes.bounded_command_child import KEPT_BYTES, HeadAndTail
from orket_lib.vocabulary.nulls import Null
from orket_lib.vocabulary.statuses import TokenStatus

RESULT = '{"answer": "5", "telemetry": {}}'
FULL = {
    "total_latency": 2.5,
    "internal_model_seconds": 1.5,
    "adherence_score": 0.5,
    "ttft_ms": 20,
    "prefill_seconds": 0.5,
    "decode_seconds": 1.0,
    "prompt_tokens": 100,
    "output_tokens": 32,
    "prompt_tokens_per_second": 200.0,
    "generation_tokens_per_second": 31,
}


def read(text: str, end: str | None = None) -> RunnerResult:
    return read_result(captured(text, end))


def saying(**telemetry: Any) -> RunnerResult:
    return read(json.dumps({"answer": "5", "telemetry": telemetry}))


def test_calls_of_tools_come_next_to_the_answer() -> None:
    calls = [{"id": "x", "name": "create_order", "arguments": '{"count": 3}'}]
    found = read(json.dumps({"answer": "", "tool_calls": calls, "telemetry": {}}))
    assert found.tool_calls == (ToolCall(name="create_order", arguments='{"count": 3}'),)
    assert read(RESULT).tool_calls == ()


@pytest.mark.parametrize("calls", ["x", [1], [{"name": "a"}], [{"name": "a", "arguments": {}}]])
def test_what_is_no_call_is_no_result(calls: Any) -> None:
    with pytest.raises(NoResult, match="`tool_calls` of the last JSON line"):
        read(json.dumps({"answer": "", "tool_calls": calls, "telemetry": {}}))


NO_OBJECT = (
    st.from_regex(r"[^{\n]{0,6}", fullmatch=True, alphabet=st.sampled_from('a1[]}:,"{\n\r é'))
    | st.sampled_from(["{half a li", "[1, 2]", "5", "null", "[{}]", "{" * 50, '{"a": 1},'])
    | st.sampled_from(["{" * 100_000, '{"a":' * 100_000, "[" * 100_000, f'{{"x": {"9" * 5000}}}'])
)
OTHER_LINES = st.lists(NO_OBJECT, max_size=3)


@given(OTHER_LINES, OTHER_LINES, st.sampled_from(["{}", '{"answer": "4", "telemetry": {}}']))
def test_the_last_line_that_is_a_json_object_is_the_result(
    before: list[str], after: list[str], earlier: str
) -> None:
    lines = [earlier, *before, f"  {RESULT}  \r", *after]
    assert read("\n".join(lines)).answer == "5"


@given(OTHER_LINES)
@example([])
@example(json.dumps(json.loads(RESULT), indent=1).split("\n"))
def test_without_such_a_line_there_is_no_result(lines: list[str]) -> None:
    with pytest.raises(NoResult, match="no line with a JSON object"):
        read("\n".join(lines))


@given(NO_NUMBER_AT_ALL.filter(lambda value: not isinstance(value, str)))
@example(5)
@example(["5"])
@example("\ud800")
def test_an_answer_is_text(answer: object) -> None:
    with pytest.raises(NoResult, match="must be text"):
        read(json.dumps({"answer": answer, "telemetry": {}}))


@given(NO_NUMBER_AT_ALL | NO_FINITE_NUMBER | NEGATIVE | st.floats(1, exclude_min=True))
@example(1.01)
@example(True)
@example("1")
def test_without_an_answer_there_must_be_a_score_from_0_to_1(score: object) -> None:
    with pytest.raises(NoResult, match="neither `answer` nor"):
        read(json.dumps({"telemetry": {"adherence_score": score}}))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        pytest.param('{"answer": "5"}', "no object `telemetry`", id="no telemetry"),
        pytest.param('{"answer": "5", "telemetry": 3}', "no object `telemetry`", id="a number"),
        pytest.param('{"telemetry": {}}', "neither `answer` nor", id="neither"),
        pytest.param(
            f'{RESULT}\n{{"level": "info", "message": "done"}}',
            "no object `telemetry`",
            id="a log line after it",
        ),
        pytest.param('{"answer": "gr\ufffdn", "telemetry": {}}', "not UTF-8", id="not UTF-8"),
    ],
)
def test_what_is_no_result_says_what_is_wrong(text: str, problem: str) -> None:
    with pytest.raises(NoResult, match=problem):
        read(text)


def kept(*writes: bytes) -> CapturedText:
    """Return what is kept of output as long as that."""
    pipe = HeadAndTail()
    for data in writes:
        pipe.add(data)
    return CapturedText.model_validate(pipe.answer())


def test_the_end_of_long_output_is_looked_at() -> None:
    noise = b"x" * KEPT_BYTES
    assert read_result(kept(noise, noise, noise, f"\n{RESULT}\n".encode())).answer == "5"


def test_a_line_whose_beginning_was_dropped_is_none() -> None:
    tail = RESULT.encode()
    room = KEPT_BYTES - len(tail)
    # What is kept of the end begins exactly where something begins that looks like a result.
    forged = kept(b'{"answer": "' + b"y" * 2 * KEPT_BYTES, tail, b" " * room)
    assert (forged.end or "").startswith(RESULT)
    with pytest.raises(NoResult, match=f"the last {KEPT_BYTES} characters of its {forged.bytes}"):
        read_result(forged)


@given(
    st.fixed_dictionaries(
        {},
        optional={
            name: st.integers(0, 10**15)
            if name.endswith("tokens")
            else st.floats(0, 1 if name == "adherence_score" else 1e15)
            for name in FULL
        },
    )
)
@example(FULL)
def test_every_figure_is_taken_as_it_is_reported(figures: dict[str, float]) -> None:
    reported = saying(**figures).reported
    assert {name: getattr(reported, name) for name in figures} == figures
    assert reported.null_reasons == dict.fromkeys(set(FULL) - set(figures), "NOT_REPORTED")


def test_figures_of_tokens_may_stand_where_our_own_reports_have_them() -> None:
    nested: dict[str, dict[str, float]] = {
        "counts": {"prompt_tokens": 100, "output_tokens": 32},
        "latencies": {"ttft_ms": 20, "prefill_seconds": 0.5, "decode_seconds": 1.0},
        "throughput": {"prompt_tokens_per_second": 200.0, "generation_tokens_per_second": 31},
    }
    flat = {name: FULL[name] for section in nested.values() for name in section}
    assert saying(token_metrics=nested).reported == saying(**flat).reported
    assert saying(token_metrics=nested, ttft_ms=30).reported.ttft_ms == 30


@given(NO_NUMBER_AT_ALL | st.fixed_dictionaries({"counts": NO_NUMBER_AT_ALL}))
@example(None)
@example(5)
@example({"counts": {"ttft_ms": 1}})
def test_sections_that_are_none_are_as_if_they_were_not_there(sections: object) -> None:
    assert set(saying(token_metrics=sections).reported.null_reasons.values()) == {"NOT_REPORTED"}


@given(NO_NUMBER_AT_ALL | NO_FINITE_NUMBER | NEGATIVE, st.sets(st.sampled_from(list(FULL))))
@example(-1, set(FULL))
@example(True, set(FULL))
@example("3", set(FULL))
@example(10**400, set(FULL))
@example(float("nan"), set(FULL))
def test_what_is_no_finite_number_is_null_and_says_so(value: object, names: set[str]) -> None:
    reported = saying(**FULL | dict.fromkeys(names, value)).reported
    assert reported.null_reasons == dict.fromkeys(names, "INVALID_VALUE")
    assert all((getattr(reported, name) is None) is (name in names) for name in FULL)


def test_half_a_token_is_no_count() -> None:
    assert saying(output_tokens=3.5).reported.null_reasons["output_tokens"] == "INVALID_VALUE"


def test_zero_is_a_number_and_nothing_is_not() -> None:
    reported = saying(internal_model_seconds=0, ttft_ms=None).reported
    assert reported.internal_model_seconds == 0
    assert reported.null_reasons["ttft_ms"] == "NOT_REPORTED"


@pytest.mark.parametrize(
    ("telemetry", "seconds"),
    [
        (FULL, 1.5),
        ({"prefill_seconds": 0.25, "decode_seconds": 1}, 1.25),
        ({"decode_seconds": 1}, Null("NOT_REPORTED")),
        ({"internal_model_seconds": -1}, Null("INVALID_VALUE")),
    ],
)
def test_time_inside_the_model_is_the_whole_or_the_sum_of_both_parts(
    telemetry: dict[str, Any], seconds: object
) -> None:
    assert internal_seconds(saying(**telemetry).reported) == seconds


@pytest.mark.parametrize(
    ("telemetry", "status"),
    [
        (FULL, TokenStatus.OK),
        ({"prompt_tokens": 1, "output_tokens": 1}, TokenStatus.NO_TIMES),
        ({"internal_model_seconds": 1}, TokenStatus.NO_COUNTS),
        ({"output_tokens": 1, "internal_model_seconds": 1}, TokenStatus.NO_COUNTS),
        ({}, TokenStatus.NOTHING),
    ],
)
def test_token_metrics_say_which_of_counts_and_times_were_reported(
    telemetry: dict[str, Any], status: TokenStatus
) -> None:
    metrics = token_metrics(saying(**telemetry).reported)
    assert (metrics.status, metrics.source) == (status, "runner")


def test_token_metrics_are_the_runner_s_own_words() -> None:
    metrics = token_metrics(saying(**FULL).reported)
    assert (metrics.counts.prompt_tokens, metrics.counts.total_tokens) == (100, 132)
    assert (metrics.latencies.ttft_ms, metrics.latencies.total_turn_seconds) == (20, 2.5)
    assert metrics.throughput.generation_tokens_per_second == 31


def test_a_rate_over_few_tokens_is_null_whoever_reports_it() -> None:
    throughput = token_metrics(saying(**FULL | {"output_tokens": 15}).reported).throughput
    assert throughput.generation_tokens_per_second is None
    assert throughput.null_reasons["generation_tokens_per_second"] == "TOO_FEW_OUTPUT_TOKENS"
