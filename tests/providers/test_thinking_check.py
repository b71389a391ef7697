"""Whether a server switches reasoning, judged by an answer."""

from __future__ import annotations

from typing import Any

import pytest
from builders import generation

from orket_lib.artifacts.measurements.spec import Thinking
from orket_lib.providers.base import Generation, GenerationRequest
from orket_lib.providers.ollama.stream import request_for
from orket_lib.providers.openai.client import EXTRAS, THINKING, chat_request
from orket_lib.providers.thinking_check import as_accepted, not_switched, thinking_readback
from orket_lib.vocabulary.errors import Fault, RequestFailed

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
