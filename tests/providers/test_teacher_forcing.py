"""The probabilities that servers list, in all their forms, and in none."""

import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, nullcontext
from typing import Any

import pytest
from probability_server import KEY, Answer, Body, entries, server

from orket_lib.providers.base import ServerAddress
from orket_lib.providers.llama_cpp.scorer import LlamaScorer
from orket_lib.providers.ollama.scorer import OllamaScorer
from orket_lib.providers.openai.scorer import OpenAiScorer
from orket_lib.providers.teacher_forcing import NextToken, listed_tokens, words_of
from orket_lib.providers.wire.kept_connection import KeptConnection
from orket_lib.vocabulary.errors import Fault, RequestFailed, RequestTimedOut


def test_a_list_is_read_by_id_or_by_text_and_sorted() -> None:
    found = listed_tokens(entries(-3.0, -0.1), "id")
    assert found == NextToken((1, 0), (-0.1, -3.0))
    assert listed_tokens(entries(-3.0, -0.1)).tokens == ("t1", "t0")


@pytest.mark.parametrize("listed", [None, 5, "x", [], [3], [{"token": "a"}], [{"logprob": -1.0}]])
def test_what_is_no_list_of_probabilities_is_none(listed: object) -> None:
    assert listed_tokens(listed) == NextToken((), ())


def test_values_that_are_no_numbers_are_left_out_and_others_fit_a_float32() -> None:
    values = [True, None, "-1", float("nan"), -(10**400), 10**400]
    found = listed_tokens([{"token": str(i), "logprob": it} for i, it in enumerate(values)])
    assert found == NextToken(("5", "4"), (1e30, -1e30))


def test_tokens_with_the_same_text_count_as_one_and_parts_of_letters_are_told_apart() -> None:
    half = -0.6931471805599453
    same = [{"token": "a", "logprob": half - 0.6931471805599453}] * 2
    assert listed_tokens(same).logprobs == (pytest.approx(half),)
    parts = [{"token": "\ufffd", "bytes": [it], "logprob": -1.0} for it in (200, 201)]
    assert len(listed_tokens(parts).logprobs) == 2


def test_words_keep_the_white_space_before_them() -> None:
    assert words_of("Two  words\nand more ") == ("Two", "  words", "\nand", " more")


def llama(answer: Answer, vocabulary: int | None, most: int | None = None) -> Any:
    @contextmanager
    def opened() -> Iterator[tuple[LlamaScorer, list[Body]]]:
        with server(answer, most) as (address, asked):
            scorer = LlamaScorer(address, {"model": "m"}, vocabulary, 10.0, nullcontext)
            with closing(scorer):
                yield scorer, asked

    return opened()


def completion(*logprobs: float) -> Body:
    return {"completion_probabilities": [{"top_logprobs": entries(*logprobs)}]}


def test_llama_cpp_is_asked_at_each_place_on_one_connection() -> None:
    with llama(lambda *_: completion(-0.7, -0.8), 3) as (scorer, asked):
        found = list(scorer.next_tokens((5, 6, 7, 8), 2, 40))
    assert found == [NextToken((0, 1), (-0.7, -0.8))] * 2
    assert [it["prompt"] for it in asked] == [[5, 6], [5, 6, 7]]
    assert {it["client"] for it in asked} == {asked[0]["client"]}
    assert asked[0]["n_probs"] == 40 and asked[0]["n_predict"] == 1 and asked[0]["cache_prompt"]
    assert asked[0]["model"] == "m"


def test_a_list_of_the_whole_vocabulary_is_kept_by_id() -> None:
    with llama(lambda *_: completion(-3.0, -0.1), 2) as (scorer, _):
        (found,) = scorer.next_tokens((5, 6), 1, 2)
    assert (found.tokens, found.logprobs) == (None, pytest.approx((-3.0, -0.1)))


@pytest.mark.parametrize("last", [None, "-1", 10**400])
def test_a_list_that_is_not_the_whole_vocabulary_is_kept_as_a_list(last: Any) -> None:
    with llama(lambda *_: completion(-3.0, last), 2) as (scorer, _):
        (found,) = scorer.next_tokens((5, 6), 1, 2)
    assert found.tokens is not None and 0 in found.tokens


@pytest.mark.parametrize("answer", [{}, {"completion_probabilities": []}, {"content": "x"}])
def test_a_llama_cpp_without_probabilities_gives_none(answer: Body) -> None:
    with llama(lambda *_: answer, 640) as (scorer, _):
        assert list(scorer.next_tokens((5, 6), 1, 2)) == [NextToken((), ())]


def test_the_chat_template_and_the_first_token_of_a_text_are_the_servers() -> None:
    def answer(path: str, body: Body) -> Any:
        if path == "/apply-template":
            return {"prompt": f"<u>{body['messages'][0]['content']}<a>"}
        return {"tokens": [0] * body["add_special"] + [ord(it) for it in body["content"]]}

    with llama(answer, None) as (scorer, _):
        assert scorer.opening("Hi") == (0, *map(ord, "<u>Hi<a>"))
        assert scorer.opening(None) == (0,)
        assert scorer.pieces("Hi") == (72, 105)


def test_a_connection_that_the_server_closed_is_opened_again() -> None:
    with llama(lambda *_: completion(-0.1), None, most=2) as (scorer, asked):
        assert len(list(scorer.next_tokens(range(6), 1, 1))) == 5
    assert len(asked) == 5 and len({it["client"] for it in asked}) == 3


def test_errors_are_named_and_hide_our_key() -> None:
    with (
        server(lambda *_: 503) as (address, _),
        closing(KeptConnection(address, 5.0)) as kept,
        pytest.raises(RequestFailed) as refused,
    ):
        kept.post("/completion", {})
    assert refused.value.fault is Fault.LOADING and KEY not in str(refused.value)
    gone = KeptConnection(ServerAddress("http://127.0.0.1:9"), 5.0)
    with pytest.raises(RequestFailed) as lost:
        gone.post("/x", {})
    assert lost.value.fault is Fault.REFUSED


def test_an_endless_a_silent_and_a_broken_answer_end() -> None:
    with (
        server(lambda *_: {"x": "y" * 5000}) as (address, _),
        closing(KeptConnection(address, 5.0)) as kept,
    ):
        with pytest.raises(RequestFailed) as endless:
            kept.post("/x", {}, most_bytes=1000)
        assert endless.value.fault is Fault.ENDLESS
        assert kept.post("/x", {})["x"]
    with (
        server(lambda *_: b"{oops") as (address, _),
        closing(KeptConnection(address, 5.0)) as kept,
        pytest.raises(RequestFailed) as broken,
    ):
        kept.post("/x", {})
    assert broken.value.fault is Fault.NOT_JSON
    stop = threading.Event()
    with (
        server(lambda *_: stop.wait(5) and {}) as (address, _),
        closing(KeptConnection(address, 0.2)) as kept,
    ):
        with pytest.raises(RequestTimedOut):
            kept.post("/x", {})
        stop.set()


def test_an_answer_that_is_kept_has_not_our_key() -> None:
    with (
        server(lambda *_: {"token": KEY}) as (address, _),
        closing(KeptConnection(address, 5.0)) as kept,
    ):
        assert kept.post("/x", {}) == {"token": "[api_key]"}


def ollama(answer: Answer, listed: int) -> tuple[list[NextToken], list[Body]]:
    with (
        server(answer) as (address, asked),
        closing(OllamaScorer(address, "tag", {"num_ctx": 512}, 5.0, lambda error: error)) as scorer,
    ):
        pieces = (*scorer.opening("Why?"), *scorer.pieces("Because it is."))
        return list(scorer.next_tokens(pieces, 1, listed)), asked


def test_ollama_is_asked_after_each_word_for_at_most_20() -> None:
    place = {"token": "x", "logprob": -1.0, "top_logprobs": entries(-2.0, -0.5)}
    found, asked = ollama(lambda *_: {"response": "x", "logprobs": [place]}, 80)
    assert found == [NextToken(("t1", "t0"), (-0.5, -2.0))] * 3
    assert [it["prompt"] for it in asked] == [
        "Why?\n\n",
        "Why?\n\nBecause",
        "Why?\n\nBecause it",
    ]
    assert {it["top_logprobs"] for it in asked} == {20}
    assert asked[0]["raw"] and asked[0]["options"]["num_ctx"] == 512


def test_an_ollama_without_logprobs_gives_none() -> None:
    found, _ = ollama(lambda *_: {"response": "x"}, 80)
    assert found == [NextToken((), ())] * 3


@contextmanager
def openai(answer: Answer) -> Iterator[tuple[OpenAiScorer, list[Body]]]:
    with (
        server(answer) as (address, asked),
        closing(OpenAiScorer(address, "m", 5.0, lambda error: error)) as scorer,
    ):
        yield scorer, asked


def vllm(path: str, body: Body) -> Any:
    if path == "/tokenize":
        text = body.get("prompt") if "prompt" in body else f"<{body['messages'][0]['content']}>"
        return {"tokens": [ord(letter) for letter in str(text)]}
    if body["logprobs"] > 20:
        return 400
    places = [None, *({f"t{index}": -0.1 * index} for index in range(1, len(body["prompt"]) + 1))]
    return {"choices": [{"logprobs": {"top_logprobs": places}}]}


def test_vllm_is_asked_once_for_all_places_of_a_text() -> None:
    with openai(vllm) as (scorer, asked):
        opening, pieces = scorer.opening("Q"), scorer.pieces("AB")
        assert (opening, pieces) == ((60, 81, 62), (65, 66))
        found = list(scorer.next_tokens((*opening, *pieces), 3, 80))
        list(scorer.next_tokens((*opening, *pieces), 3, 80))
    assert [it.tokens for it in found] == [("t3",), ("t4",)]
    sent = [it for it in asked if it["path"] == "/v1/completions"]
    # The refused number is not tried again.
    assert [it["logprobs"] for it in sent] == [80, 20, 20]
    assert sent[0]["echo"] and sent[0]["prompt"] == [60, 81, 62, 65, 66]


def test_a_server_without_tokens_is_asked_after_each_word() -> None:
    def answer(path: str, body: Body) -> Any:
        if path == "/tokenize":
            return 404
        return {"choices": [{"logprobs": {"top_logprobs": [{"a": -0.5, "b": -1.5}]}}]}

    with openai(answer) as (scorer, asked):
        assert scorer.opening(None) == ()
        found = list(scorer.next_tokens(scorer.pieces("one two three"), 1, 5))
    assert found == [NextToken(("a", "b"), (-0.5, -1.5))] * 2
    assert [it["prompt"] for it in asked if it["path"] != "/tokenize"] == ["one", "one two"]
    assert sum(it["path"] == "/tokenize" for it in asked) == 1


def test_probabilities_in_the_form_of_chats_are_read() -> None:
    content = [{"token": "a", "top_logprobs": entries(-0.2)}]

    def answer(path: str, _: Body) -> Any:
        return 404 if path == "/tokenize" else {"choices": [{"logprobs": {"content": content}}]}

    with openai(answer) as (scorer, _):
        assert list(scorer.next_tokens(("one", " two"), 1, 5)) == [NextToken(("t0",), (-0.2,))]


@pytest.mark.parametrize("answer", [400, 404, {}, {"choices": [{"logprobs": None}]}])
def test_an_openai_server_without_probabilities_gives_none(answer: Any) -> None:
    def refuses(path: str, _: Body) -> Any:
        return 404 if path == "/tokenize" else answer

    with openai(refuses) as (scorer, asked):
        found = list(scorer.next_tokens(("one", " two", " three"), 1, 5))
    assert found == [NextToken((), ())] * 2
    if isinstance(answer, int):  # it is not asked again and again
        assert len(asked) <= 3
