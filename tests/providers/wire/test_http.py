"""The HTTP side of a model server: its key is never shown, an answer takes no longer than asked."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress

import httpx
import pytest

from orket_lib.providers.base import Generation, GenerationRequest
from orket_lib.providers.wire.http import HttpServer, StampedStream
from orket_lib.vocabulary.errors import ProviderError, RequestFailed, RequestTimedOut

URL = "http://127.0.0.1:1"
KEY = "sk-SECRET"


def server(key: str, answer: Callable[[httpx.Request], httpx.Response]) -> HttpServer:
    return HttpServer(URL, key, httpx.MockTransport(answer))


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", " "])
def test_the_line_end_of_a_key_that_was_read_from_a_file_is_no_part_of_it(
    end: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("K", KEY + end)
    sent = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request.headers["authorization"])
        return httpx.Response(200, json={})

    server("${ENV:K}", answer).call("GET", "/")
    assert sent == [f"Bearer {KEY}"]


@pytest.mark.parametrize("key", ["sk-SEC\nRET", "sk-ÜSECRET", "sk-\x00SECRET"])
def test_a_key_that_fits_no_header_is_told_and_not_shown(key: str) -> None:
    with pytest.raises(ProviderError, match="api_key: has a character") as raised:
        HttpServer(URL, key)
    assert "SEC" not in str(raised.value)


def test_a_server_that_repeats_our_key_does_not_get_it_into_a_message() -> None:
    said = {"error": {"message": f"Incorrect API key provided: {KEY}."}}
    refusing = server(KEY, lambda _: httpx.Response(401, json=said))
    with pytest.raises(RequestFailed) as raised:
        refusing.call("GET", "/v1/models")
    assert (
        str(raised.value)
        == f"GET {URL}/v1/models: HTTP 401: Incorrect API key provided: [api_key]."
    )


@pytest.mark.parametrize("status", ["200 OK", "500 Internal Server Error"])
def test_a_control_call_whose_answer_only_drips_has_an_end(status: str) -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: 9999\r\n\r\n"

    def drip() -> None:
        with suppress(OSError):
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(head.encode())
                while True:
                    connection.sendall(b" ")
                    time.sleep(0.02)

    threading.Thread(target=drip, daemon=True).start()
    asking = HttpServer(f"http://127.0.0.1:{listener.getsockname()[1]}")
    with (
        listener,
        pytest.raises(
            RequestTimedOut, match=r"GET http://127\.0\.0\.1:\d+/metrics: no end after 0\.3 s"
        ),
    ):
        asking.text("GET", "/metrics", timeout_s=0.3)
    asking.close()


@pytest.mark.parametrize("ask", ["text", "status", "generation"])
def test_a_request_whose_headers_only_drip_has_an_end(ask: str) -> None:
    def never(_: StampedStream) -> Generation:
        raise AssertionError("There is no answer to read.")

    begun = time.monotonic()
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def drip() -> None:
            connection, _ = listening.accept()
            with connection, suppress(OSError):
                connection.recv(65536)
                connection.sendall(b"HTTP/1.1 200 OK\r\n")
                while time.monotonic() - begun < 20:
                    connection.sendall(b"X-A: b\r\n")
                    time.sleep(0.2)

        thread = threading.Thread(target=drip)
        thread.start()
        asked = HttpServer(f"http://127.0.0.1:{listening.getsockname()[1]}")
        if ask == "status":
            assert asked.status("/x", timeout_s=1) is None
        else:
            with pytest.raises(RequestTimedOut, match=r"(no end after|silent for) 1 s"):
                if ask == "text":
                    asked.text("GET", "/x", timeout_s=1)
                else:
                    request = GenerationRequest("Go.", 10, 0.0, seed=7, timeout_s=1)
                    asked.generation("/x", {}, request, never, lambda _: False)
        asked.close()
        thread.join()
    assert time.monotonic() - begun < 10
