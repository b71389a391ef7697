"""Whether a server switches reasoning, judged by an answer."""

from __future__ import annotations

from typing import Any

import pytest
from builders import generation, spec

from orket_lib.artifacts.measurements.spec import Thinking
from orket_lib.providers.base import Generation, GenerationRequest
from orket_lib.providers.ollama.stream import request_for
from orket_lib.providers.openai.client import BUDGETS, EXTRAS, THINKING, chat_request
from orket_lib.providers.thinking_check import (
    BUDGET_SLACK,
    as_accepted,
    budget_readback,
    not_switched,
    thinking_counted,
    thinking_readback,
)
from orket_lib.vocabulary.errors import Fault, RequestFailed, RequestTimedOut

QUESTION = GenerationRequest("What is 2 + 3?", 8, 0.0, seed=None, timeout_s=30.0)


def obeys(request: GenerationRequest) -> Generation:
    return generation(text="5", reasoning="2 and 3 ..." if request.thinking else "")


def always(request: GenerationRequest) -> Generation:
    return generation(text="", reasoning="2 and 3 ...")


def in_its_text(request: GenerationRequest) -> Generation:
    return generation(text="<think>2 and 3 ...", reasoning="")


def never(request: GenerationRequest) -> Generation:
    return generation(text="5", reasoning="")


@pytest.mark.parametrize(
    ("server", "asked", "applied", "held"),
    [
        (obeys, "on", "on", True),
        (obeys, "off", "off", True),
        (always, "off", "on", False),
        (in_its_text, "off", "on", False),
        (never, "off", "off", True),
        (never, "on", "off", False),
    ],
)
def test_the_answer_tells(server: Any, asked: Thinking, applied: str, held: bool) -> None:
    found = thinking_readback(server, asked)
    assert (found.name, found.requested) == ("thinking", asked)
    assert (found.applied, found.held) == (applied, held)


def test_a_server_that_refuses_it_is_asked_without_it() -> None:
    def refuses(request: GenerationRequest) -> Generation:
        raise RequestFailed('"lamp:7b" does not support thinking', Fault.REJECTED)

    found = thinking_readback(refuses, "on")
    assert (found.applied, found.held) == (None, False)
    assert "does not support thinking" in found.source
    asked = GenerationRequest("a", 8, 0.0, None, 30.0, thinking=True)
    assert as_accepted(asked, [found]).thinking is None
    assert as_accepted(asked, [thinking_readback(never, "on")]).thinking is True


def test_a_server_that_fails_is_no_refusal() -> None:
    def fails(request: GenerationRequest) -> Generation:
        raise RequestFailed("HTTP 500", Fault.SERVER_ERROR)

    with pytest.raises(RequestFailed, match="HTTP 500"):
        thinking_readback(fails, "off")


@pytest.mark.parametrize("thinking", [True, False])
def test_each_server_gets_its_own_field(thinking: bool) -> None:
    asked = GenerationRequest("a", 8, 0.0, None, 30.0, thinking=thinking)
    assert request_for("lamp:7b", asked, {})[1]["think"] is thinking
    body = chat_request("lamp-7b", asked, EXTRAS, "salt")
    assert body["chat_template_kwargs"] == {"enable_thinking": thinking, "thinking": thinking}
    assert body["reasoning_effort"] == ("medium" if thinking else "none")
    assert not set(THINKING) & set(chat_request("lamp-7b", asked, (), "salt"))


def test_nothing_is_sent_unless_it_is_asked_for() -> None:
    assert "think" not in request_for("lamp:7b", QUESTION, {})[1]
    assert not set(THINKING) & set(chat_request("lamp-7b", QUESTION, EXTRAS, "salt"))


def test_no_switch_is_never_held() -> None:
    assert not not_switched("off", "the server refuses it").held


def words(text: str) -> int:
    return len(text.split())


def thinks(tokens: int, at_most: bool = False) -> Any:
    """Return a server whose model thinks so many words, or at most its budget."""

    def answer(request: GenerationRequest) -> Generation:
        budget = request.thinking_budget or 0
        said = min(tokens, budget if at_most else request.max_tokens)
        return generation(
            text="5", reasoning="hm " * said, usage={"completion_tokens": said + 1}, timings=None
        )

    return answer


@pytest.mark.parametrize(
    ("server", "count", "held", "why"),
    [
        (thinks(10**4, at_most=True), words, True, "with a budget of 16, the answer to a question"),
        (thinks(10**4), words, False, f"reasoned for {16 + 2 * BUDGET_SLACK} tokens"),
        (thinks(0), words, False, "came without reasoning to limit"),
        (thinks(10**4, at_most=True), lambda _: None, False, "doesn't count the tokens"),
    ],
)
def test_a_budget_is_seen_to_by_an_answer(server: Any, count: Any, held: bool, why: str) -> None:
    found = budget_readback(server, count, spec(thinking_budget=500))
    assert (found.name, found.requested) == ("thinking_budget", "500")
    assert (found.applied, found.held) == ("500" if held else None, held)
    assert why in found.source


def test_a_budget_that_is_refused_is_not_held_and_a_failure_is_no_refusal() -> None:
    def fails(fault: Fault) -> Any:
        def answer(request: GenerationRequest) -> Generation:
            raise RequestFailed("reasoning_config is not set", fault)

        return answer

    found = budget_readback(fails(Fault.REJECTED), words, spec(thinking_budget=500))
    assert not found.held
    assert "reasoning_config is not set" in found.source
    with pytest.raises(RequestFailed):
        budget_readback(fails(Fault.SERVER_ERROR), words, spec(thinking_budget=500))


def test_thoughts_are_counted_by_the_server_s_tokenizer_unless_it_counts_them_itself() -> None:
    thought = generation(text="5", reasoning="2 and 3 make 5")
    assert thinking_counted(words, thought).tokens.thinking == 5
    inside = generation(text="<think>2 and 3</think> 5")
    assert thinking_counted(words, inside).tokens.thinking == 3
    assert thinking_counted(words, generation(text="5")).tokens.thinking is None
    # Not more than the answer has; and not at all without such a route.
    assert thinking_counted(lambda _: 999, thought).tokens.thinking == 32
    assert thinking_counted(lambda _: None, thought).tokens.thinking is None

    def late(text: str) -> int:
        raise RequestTimedOut("too late")

    assert thinking_counted(late, thought).tokens.thinking is None
    for usage in (
        {"completion_tokens": 32, "completion_tokens_details": {"reasoning_tokens": 7}},
        {"completion_tokens": 32, "reasoning_tokens": 7},  # SGLang
    ):
        own = generation(text="5", reasoning="2 and 3 make 5", usage=usage)
        assert thinking_counted(words, own).tokens.thinking == 7
    none = {"completion_tokens": 32, "reasoning_tokens": 0}
    assert thinking_counted(words, generation(reasoning="2 and", usage=none)).tokens.thinking == 2


def test_a_budget_has_its_own_field_and_is_sent_only_if_it_is_asked_for() -> None:
    asked = GenerationRequest("a", 8, 0.0, None, 30.0, thinking_budget=4)
    body = chat_request("lamp-7b", asked, EXTRAS, "salt")
    assert (body["thinking_token_budget"], body["thinking_budget_tokens"]) == (4, 4)
    assert not set(BUDGETS) & set(chat_request("lamp-7b", asked, (), "salt"))
    assert not set(BUDGETS) & set(chat_request("lamp-7b", QUESTION, EXTRAS, "salt"))
