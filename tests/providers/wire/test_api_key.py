"""A key that a server repeats is in nothing that is kept, and that is said."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from orket_lib.providers.base import GenerationRequest
from orket_lib.providers.openai.client import OpenAiClient
from orket_lib.providers.wire.api_key import ApiKey
from orket_lib.vocabulary.errors import RequestFailed

KEY, SHOWN = "sk-proj-a/b+c0123456789", "${ENV:SERVER_KEY}"
ASKED = GenerationRequest("Say yes.", max_tokens=9, temperature=0.0, seed=None, timeout_s=5.0)


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SERVER_KEY", KEY)


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        (KEY, SHOWN),
        (f"Bearer {KEY}.", f"Bearer {SHOWN}."),
        (f"{KEY} and {KEY}", f"{SHOWN} and {SHOWN}"),
        (KEY.replace("/", r"\/"), SHOWN),
        (f"not JSON: {KEY[:15]}", f"not JSON: {SHOWN}"),  # a message that was cut
        ({"a": [{"b": f"x{KEY}"}, (KEY,)]}, {"a": [{"b": f"x{SHOWN}"}, (SHOWN,)]}),
        ({KEY: 1}, {SHOWN: 1}),
        # These are left as they are.
        ("sk-proj-", "sk-proj-"),
        ("a key", "a key"),
        (KEY.upper(), KEY.upper()),
        (f"{KEY[:15]} and more", f"{KEY[:15]} and more"),
        ({"tokens": 3, "times": [0.5, None]}, {"tokens": 3, "times": [0.5, None]}),
    ],
)
def test_every_text_is_searched_for_the_key(said: Any, kept: Any) -> None:
    assert ApiKey(SHOWN).hidden(said) == kept


@pytest.mark.parametrize("key", ["none", "EMPTY", "ollama"])
def test_a_key_that_is_an_ordinary_word_is_not_cut_out_of_answers(
    key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SERVER_KEY", key)
    assert ApiKey(SHOWN).hidden(f"the list is {key}") == f"the list is {key}"
    assert ApiKey(SHOWN).message(f"wrong key {key}") == f"wrong key {SHOWN}"


def answering(*chunks: dict[str, Any]) -> OpenAiClient:
    events = "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks) + "data: [DONE]\n\n"

    def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, stream=httpx.ByteStream(events.encode()))

    return OpenAiClient("http://127.0.0.1:1", SHOWN, httpx.MockTransport(answer))


def delta(**fields: Any) -> dict[str, Any]:
    return {"choices": [{"delta": fields, "finish_reason": None}]}


@pytest.mark.parametrize(
    "field", ["content", "reasoning_content"], ids=["in the text", "while thinking"]
)
def test_a_key_in_an_answer_is_replaced_even_if_it_comes_in_pieces(field: str) -> None:
    client = answering(*(delta(**{field: part}) for part in ("it is ", KEY[:5], KEY[5:], " ok")))
    found = client.stream_chat("m", ASKED, ())
    assert f"{found.text}{found.reasoning}" == f"it is {SHOWN} ok"
    assert found.key_hidden
    assert KEY not in repr(found)


def test_an_answer_without_the_key_is_not_touched() -> None:
    found = answering(delta(content="it is ok")).stream_chat("m", ASKED, ())
    assert (found.text, found.key_hidden) == ("it is ok", False)


@pytest.mark.parametrize(
    "chunk",
    [{"error": {"message": f"key {KEY}"}}, {"choices": KEY}, {"usage": {"by": KEY}, "error": KEY}],
)
def test_a_key_in_an_error_of_a_stream_is_replaced(chunk: dict[str, Any]) -> None:
    with pytest.raises(RequestFailed) as raised:
        answering(chunk).stream_chat("m", ASKED, ())
    assert KEY not in str(raised.value)
    assert SHOWN in str(raised.value)


def test_a_key_in_a_control_answer_is_replaced() -> None:
    said = {"data": [{"id": "m", "owned_by": KEY}, {"id": f"m-{KEY}"}]}
    client = OpenAiClient(
        "http://127.0.0.1:1", SHOWN, httpx.MockTransport(lambda _: httpx.Response(200, json=said))
    )
    assert KEY not in repr(client.models())
