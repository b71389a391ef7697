"""Each way in which a request to Ollama can fail, on a real socket: named, and asked only once."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from ollama_cells import BARE, QUESTION, WORDS, serving
from ollama_running import SimulatedOllama, simulated_ollama

from orket_lib.providers.base import GenerationRequest
from orket_lib.providers.ollama.provider import OllamaModel
from orket_lib.vocabulary.errors import (
    Fault,
    ProviderError,
    RequestFailed,
    RequestTimedOut,
    ServerCrashed,
)

BRIEF = GenerationRequest("How many?", 20, 0.0, seed=7, timeout_s=1.0)


@pytest.fixture(scope="module")
def server() -> Iterator[SimulatedOllama]:
    with simulated_ollama({WORDS: {}}) as server:
        yield server


@pytest.fixture
def model(server: SimulatedOllama, tmp_path: Path) -> Iterator[OllamaModel]:
    with serving(server, tmp_path) as model:
        yield model
        server.behave(fault=None, one_byte=False, bunch=1, load_error="")


def asked(server: SimulatedOllama) -> int:
    """Return how many questions the server was asked; a load and an unload are none."""
    return sum(bool(body.get("messages") or body.get("prompt")) for _, body in server.requests)


@pytest.mark.parametrize("request_", [QUESTION, BARE], ids=["chat", "bare"])
@pytest.mark.parametrize(
    ("behaviour", "fault", "words"),
    [
        ("busy", Fault.LOADING, "HTTP 503: server busy, please try again"),
        ("error_in_stream", Fault.ERROR_IN_STREAM, "error in mid-stream: an error was encountered"),
        ("cut", Fault.CUT_STREAM, "the stream was cut after 2 chunks"),
        ("reset", Fault.RESET, "RemoteProtocolError"),
        ("not_json", Fault.NOT_JSON, "the stream is not valid JSON"),
        ("endless", Fault.ENDLESS, "no end of the answer after far more than 20 tokens"),
    ],
)
def test_a_fault_is_named_and_nothing_is_asked_again(
    server: SimulatedOllama,
    model: OllamaModel,
    behaviour: str,
    fault: Fault,
    words: str,
    request_: GenerationRequest,
) -> None:
    server.behave(fault=behaviour)
    before = asked(server)
    with pytest.raises(RequestFailed) as caught:
        model.generate(request_)
    assert (caught.value.fault, words in str(caught.value)) == (fault, True), caught.value
    assert asked(server) == before + 1
    server.behave(fault=None)
    assert model.generate(request_).text, "the next one is answered"


@pytest.mark.parametrize("behaviour", ["trickle", "hang"])
def test_a_server_that_does_not_end_is_left(
    server: SimulatedOllama, model: OllamaModel, behaviour: str
) -> None:
    server.behave(fault=behaviour)
    before, begin = asked(server), time.monotonic()
    with pytest.raises(RequestTimedOut, match=r"(after|for) 1 s"):
        model.generate(BRIEF)
    assert time.monotonic() - begin < 10
    assert asked(server) == before + 1


def test_a_model_that_was_deleted_is_not_found(server: SimulatedOllama, model: OllamaModel) -> None:
    server.forget(WORDS)
    try:
        with pytest.raises(RequestFailed, match=f"HTTP 404: model '{WORDS}' not found") as caught:
            model.generate(QUESTION)
    finally:
        server.keep(WORDS)
    assert caught.value.fault is Fault.NOT_FOUND


def test_a_prompt_that_does_not_fit_is_rejected_and_not_cut(model: OllamaModel) -> None:
    long = GenerationRequest("word " * 2000, 4, 0.0, seed=7, timeout_s=10.0)
    with pytest.raises(RequestFailed, match=r"HTTP 400: .*\(20.. tokens\) exceeds the") as caught:
        model.generate(long)
    assert caught.value.fault is Fault.REJECTED


def test_an_answer_from_the_cloud_is_no_outcome_of_one_run(
    server: SimulatedOllama, model: OllamaModel
) -> None:
    server.behave(fault="cloud")
    with pytest.raises(ProviderError, match="a cloud model answered") as caught:
        model.generate(QUESTION)
    assert not isinstance(caught.value, RequestFailed)


@pytest.mark.parametrize("way", [{"one_byte": True}, {"bunch": 7}, {"bunch": 1000}])
def test_how_the_bytes_are_cut_changes_nothing(
    server: SimulatedOllama, model: OllamaModel, way: dict[str, object]
) -> None:
    plain = model.generate(QUESTION)
    server.behave(**way)
    found = model.generate(QUESTION)
    assert (found.text, found.finish_reason) == (plain.text, plain.finish_reason)
    assert found.tokens.output == plain.tokens.output == 20
    assert len(found.chunk_s) == len(plain.chunk_s)


def test_a_server_that_is_gone_is_a_crash(tmp_path: Path) -> None:
    with simulated_ollama({WORDS: {}}) as server, serving(server, tmp_path) as model:
        server.process.kill()
        server.process.wait()
        with pytest.raises(ServerCrashed, match=f"process {server.process.pid}, ended"):
            model.generate(QUESTION)
    diary = (tmp_path / "server.log").read_text(encoding="utf-8")
    assert f"could not unload {WORDS}" in diary
