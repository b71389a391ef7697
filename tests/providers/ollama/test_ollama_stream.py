"""Ollama's lines, as recorded from a server and as the simulator writes them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from orket_lib.providers.base import GenerationRequest
from orket_lib.providers.ollama.stream import assemble, load_s, ollama_tokens, request_for
from orket_lib.providers.wire.http import StampedStream
from orket_lib.vocabulary.errors import Fault, ProviderError, RequestFailed

HEAD = {"model": "llama3.2:1b", "created_at": "2026-09-17T15:42:59.7420965Z"}
# The last line of a cold chat: version 0.33, 29 prompt tokens, 3 of output, nothing cached.
LAST: dict[str, Any] = {
    **HEAD,
    "message": {"role": "assistant", "content": ""},
    "done": True,
    "done_reason": "stop",
    "total_duration": 30258609300,
    "load_duration": 19906358300,
    "prompt_eval_count": 29,
    "prompt_eval_cached_count": 0,
    "prompt_eval_duration": 10175903000,
    "eval_count": 3,
    "eval_duration": 173639000,
}


def without(*names: str, **changes: Any) -> dict[str, Any]:
    return {key: value for key, value in (LAST | changes).items() if key not in names}


def said(text: str, **more: Any) -> dict[str, Any]:
    return {**HEAD, "message": {"role": "assistant", "content": text}, "done": False, **more}


def stream(*lines: Any, step_s: float = 1.0) -> StampedStream:
    """Return lines that arrive a second after each other; the request was written at 10 s."""
    reads = [
        (11.0 + step_s * at, line if isinstance(line, bytes) else json.dumps(line).encode() + b"\n")
        for at, line in enumerate(lines)
    ]
    return StampedStream(reads, written_s=10.0, connect_s=0.25)


def test_an_answer_with_its_times_in_seconds() -> None:
    found = assemble(stream(said("4"), said("2"), LAST))
    assert (found.text, found.reasoning, found.finish_reason) == ("42", "", "stop")
    assert (found.chunk_s, found.connect_s) == ((1.0, 2.0), 0.25)
    tokens = found.tokens
    assert (tokens.prompt, tokens.cached, tokens.uncached, tokens.output) == (29, 0, 29, 3)
    assert (tokens.prefill_s, tokens.decode_s) == pytest.approx((10.175903, 0.173639))
    assert load_s(found) == pytest.approx(19.9063583)


def test_counts_and_times_are_kept_as_they_came() -> None:
    found = assemble(stream(said("42"), without(brand_new_count=5, brand_new_duration=6)))
    assert found.usage is not None
    assert found.timings is not None
    kept = found.usage | found.timings
    assert kept == {key: value for key, value in LAST.items() if key != "message"} | {
        "brand_new_count": 5,
        "brand_new_duration": 6,
    }
    assert set(found.timings) == {key for key in kept if key.endswith("_duration")}


def test_a_last_line_without_its_end_is_whole() -> None:
    found = assemble(stream(said("42"), json.dumps(LAST).encode()))
    assert (found.text, found.tokens.output) == ("42", 3)


def test_text_of_the_last_line_counts() -> None:
    found = assemble(stream(said("4"), without(message={"role": "assistant", "content": "2"})))
    assert (found.text, found.chunk_s) == ("42", (1.0, 2.0))


def test_a_bare_answer_has_its_text_elsewhere() -> None:
    piece = {**HEAD, "response": "lamp", "done": False}
    found = assemble(stream(piece, without("message", response="")))
    assert found.text == "lamp"


def test_reasoning_is_told_from_the_answer_and_is_text_that_arrives() -> None:
    thought = {**HEAD, "message": {"role": "assistant", "content": "", "thinking": "hm"}}
    empty = {**HEAD, "message": {"role": "assistant", "content": ""}, "done": False}
    found = assemble(stream(empty, {**thought, "done": False}, said("42"), LAST))
    assert (found.text, found.reasoning) == ("42", "hm")
    assert found.chunk_s == (2.0, 3.0)


@pytest.mark.parametrize(
    ("left_out", "expected"),
    [
        pytest.param("prompt_eval_count", {"prompt": None, "uncached": None}, id="prompt"),
        pytest.param("eval_count", {"output": None}, id="output"),
        pytest.param("prompt_eval_duration", {"prefill_s": None}, id="prompt time"),
        pytest.param("eval_duration", {"decode_s": None}, id="generation time"),
        pytest.param(
            "prompt_eval_cached_count", {"cached": None, "uncached": None}, id="cached tokens"
        ),
    ],
)
def test_a_number_that_was_left_out_is_none_and_never_zero(
    left_out: str, expected: dict[str, None]
) -> None:
    whole = ollama_tokens(LAST)
    found = ollama_tokens(without(left_out))
    for name in vars(whole):
        assert getattr(found, name) == expected.get(name, getattr(whole, name)), name


@pytest.mark.parametrize("value", [-1, 1.5, "29", True, None])
def test_what_is_no_count_is_none(value: Any) -> None:
    assert ollama_tokens(without(prompt_eval_count=value)).prompt is None


def test_more_cached_than_there_is_leaves_the_rest_unknown() -> None:
    found = ollama_tokens(without(prompt_eval_cached_count=30))
    assert (found.prompt, found.cached, found.uncached) == (29, 30, None)


@pytest.mark.parametrize(
    ("lines", "fault", "words"),
    [
        pytest.param(
            (said("4"), {"error": "CUDA error"}, LAST),
            Fault.ERROR_IN_STREAM,
            "CUDA error",
            id="error line",
        ),
        pytest.param((said("4"),), Fault.CUT_STREAM, "after 1 chunks", id="no last line"),
        pytest.param((), Fault.CUT_STREAM, "after 0 chunks", id="nothing"),
        pytest.param(
            (said("4"), json.dumps(LAST).encode()[:-9]),
            Fault.CUT_STREAM,
            "in the middle of a line",
            id="half a last line",
        ),
        pytest.param((said("4"), b"<html>\n"), Fault.NOT_JSON, "not valid JSON", id="HTML"),
        pytest.param((b"[1]\n",), Fault.NOT_JSON, "not a JSON object", id="a list"),
    ],
)
def test_a_stream_that_is_no_answer_is_a_fault(
    lines: tuple[Any, ...], fault: Fault, words: str
) -> None:
    with pytest.raises(RequestFailed, match=words) as caught:
        assemble(stream(*lines))
    assert caught.value.fault is fault


@pytest.mark.parametrize("field", ["remote_host", "remote_model"])
def test_an_answer_from_the_cloud_ends_the_measurement(field: str) -> None:
    with pytest.raises(ProviderError, match="cloud model answered, at somewhere") as caught:
        assemble(stream(said("4", **{field: "somewhere"}), LAST))
    assert not isinstance(caught.value, RequestFailed), "no outcome of one run"


@pytest.mark.parametrize("message", ["text", 5, None, {"content": 5}, {"content": ["a"]}])
def test_a_message_of_another_shape_is_no_text_and_no_crash(message: Any) -> None:
    found = assemble(stream({**HEAD, "message": message, "done": False}, LAST))
    assert (found.text, found.chunk_s) == ("", ())


def test_a_graded_question_goes_through_the_chat_template() -> None:
    request = GenerationRequest("What is 2 + 2?", 32, 0.5, seed=7, timeout_s=9.0)
    path, body = request_for("m:q4", request, {"num_ctx": 2048, "num_thread": 4})
    assert path == "/api/chat"
    assert body["messages"] == [{"role": "user", "content": "What is 2 + 2?"}]
    assert body["options"] == {
        "num_ctx": 2048,
        "num_thread": 4,
        "num_predict": 32,
        "temperature": 0.5,
        "seed": 7,
    }
    assert (body["truncate"], body["shift"], body["stream"]) == (False, False, True)


def test_a_probe_is_a_bare_text_with_the_same_options_as_the_load() -> None:
    request = GenerationRequest("a lamp", 128, 0.0, seed=None, timeout_s=9.0, ignore_eos=True)
    path, body = request_for("m:q4", request, {"num_ctx": 2048})
    assert path == "/api/generate"
    assert (body["prompt"], body["raw"]) == ("a lamp", True)
    assert body["options"] == {"num_ctx": 2048, "num_predict": 128, "temperature": 0.0}
