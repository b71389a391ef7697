"""Every way in which a request can fail, on a real socket, for each client: reported, not repeated.

`Fault` is a closed set and this is its table: what the wire does, what the run's outcome is, which
fault is counted, what is said about it. A request is sent exactly once, whatever becomes of it.
"""

from __future__ import annotations

import json
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from builders import session, spec, task

from orket_lib.artifacts.views.run_report import TestRun
from orket_lib.measure.journal.journal import ANSWER, Journal
from orket_lib.measure.runs.answers import Turn, ask_task
from orket_lib.measure.runs.grading import grade_answer
from orket_lib.measure.session.session import OpenSession
from orket_lib.providers.base import Generation, GenerationRequest
from orket_lib.providers.llama_cpp.client import LlamaClient
from orket_lib.providers.lmstudio.client import ROUTES, LmStudioClient
from orket_lib.providers.openai.client import EXTRAS, OpenAiClient
from orket_lib.vocabulary.errors import Fault
from orket_lib.vocabulary.statuses import Outcome

Connection = socket.socket
Act = Callable[[Connection], None]
Generate = Callable[[GenerationRequest], Generation]

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
END = b"0\r\n\r\n"


def chunk(content: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(content), content)


def piece(text: str) -> bytes:
    """Return an event with a piece of an answer."""
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": None}
    return chunk(f"data: {json.dumps({'choices': [choice]}, ensure_ascii=False)}\n\n".encode())


def status(line: str, body: str, kind: str = "application/json") -> Act:
    """Return what answers with a status and a whole body."""
    content = body.encode()
    head = f"HTTP/1.1 {line}\r\nContent-Type: {kind}\r\nContent-Length: {len(content)}\r\n\r\n"
    return lambda connection: connection.sendall(head.encode() + content)


def stream(*parts: bytes) -> Act:
    """Return what sends a stream, part by part."""

    def act(connection: Connection) -> None:
        connection.sendall(HEAD)
        for part in parts:
            connection.sendall(part)

    return act


def reset(connection: Connection) -> None:
    stream(piece("1"))(connection)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def endless(connection: Connection) -> None:
    connection.sendall(HEAD)
    with suppress(OSError):
        while True:
            connection.sendall(piece("a" * 65000))


def trickle(connection: Connection) -> None:
    connection.sendall(HEAD)
    with suppress(OSError):
        while True:
            connection.sendall(chunk(b": still here\n\n"))
            time.sleep(0.02)


def dripping_error(connection: Connection) -> None:
    connection.sendall(b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 9999\r\n\r\n")
    with suppress(OSError):
        while True:
            connection.sendall(b" ")
            time.sleep(0.02)


def silence(connection: Connection) -> None:
    with suppress(OSError):
        while connection.recv(1024):
            pass


class Wire:
    """A listener that does one thing to whoever asks, and counts who asked.

    Args:
        act: What it does once a request has arrived.
    """

    def __init__(self, act: Act) -> None:
        self._act = act
        self.requests = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                with connection, suppress(OSError):
                    self._read(connection)
                    self.requests += 1
                    self._act(connection)

    def _read(self, connection: Connection) -> None:
        request = b""
        while b"\r\n\r\n" not in request:
            request += connection.recv(65536)
        head, _, body = request.partition(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        while len(body) < length:
            body += connection.recv(65536)


@dataclass(frozen=True)
class Case:
    """What the wire does; what the run is then; what is said about it (of a message, a part)."""

    act: Act | None
    outcome: Outcome
    fault: Fault | None
    says: str


ERROR = Outcome.ERROR
CASES = {
    "no listener": Case(None, ERROR, Fault.REFUSED, "ConnectError: "),
    "the model is loading": Case(
        status("503 Service Unavailable", '{"error": {"message": "Loading model"}}'),
        ERROR,
        Fault.LOADING,
        "HTTP 503: Loading model",
    ),
    "no such model": Case(
        status("404 Not Found", '{"error": {"message": "model `x` does not exist"}}'),
        ERROR,
        Fault.NOT_FOUND,
        "HTTP 404: model `x` does not exist",
    ),
    "the request is refused": Case(
        status("400 Bad Request", '{"error": "too long"}'),
        ERROR,
        Fault.REJECTED,
        "HTTP 400: too long",
    ),
    "the server fails": Case(
        status("500 Internal Server Error", "<html>oops</html>", "text/html"),
        ERROR,
        Fault.SERVER_ERROR,
        "HTTP 500: <html>oops</html>",
    ),
    "a reset in mid-stream": Case(reset, ERROR, Fault.RESET, "ReadError: "),
    "the connection ends in mid-stream": Case(
        stream(piece("1")), ERROR, Fault.RESET, "RemoteProtocolError: "
    ),
    "an error line under HTTP 200": Case(
        stream(piece("1"), chunk(b'data: {"error": {"message": "out of slots"}}\n\n'), END),
        ERROR,
        Fault.ERROR_IN_STREAM,
        "error in mid-stream: {'message': 'out of slots'}",
    ),
    "a stream without its last line": Case(
        stream(piece("1"), END), ERROR, Fault.CUT_STREAM, "the stream was cut after 1 chunks"
    ),
    "no JSON": Case(
        stream(piece("1"), chunk(b"data: {oops\n\n"), END),
        ERROR,
        Fault.NOT_JSON,
        "the stream is not valid JSON: ",
    ),
    "an error for a stream, under HTTP 200": Case(
        status("200 OK", '{"error": "Unexpected endpoint or method"}'),
        ERROR,
        Fault.ERROR_IN_STREAM,
        "an error instead of a stream: Unexpected endpoint or method",
    ),
    "half a character in an error": Case(
        stream(chunk(b'data: {"error": "bad \\ud83d"}\n\n'), END),
        ERROR,
        Fault.ERROR_IN_STREAM,
        "error in mid-stream: bad \ufffd",
    ),
    **{
        f"choices that are none: {found}": Case(
            stream(chunk(b'data: {"choices": %s}\n\ndata: [DONE]\n\n' % found.encode()), END),
            ERROR,
            Fault.NOT_JSON,
            "the stream has invalid choices: ",
        )
        for found in ("[null]", '["x"]', "5")
    },
    **{
        f"an answer that is no text: {part}": Case(
            stream(
                chunk(b'data: {"choices": [{"delta": {"content": [%s]}}]}\n\n' % part.encode()),
                chunk(b"data: [DONE]\n\n"),
                END,
            ),
            ERROR,
            Fault.NOT_JSON,
            "the answer is not text: ",
        )
        for part in ('{"type": "text"}', '{"text": "a"}, {"type": "image_url"}', '"a"')
    },
    "JSON without a bottom": Case(
        stream(chunk(b"data: " + b"[" * 200_000 + b"\n\n"), END),
        ERROR,
        Fault.NOT_JSON,
        "the stream is not valid JSON: nested too deeply",
    ),
    "odd fields next to the answer": Case(
        stream(
            piece("grün"),
            chunk(b'data: {"choices": [{"delta": "hi", "finish_reason": 5}]}\n\n'),
            chunk(b'data: {"choices": [], "usage": "n/a", "timings": [1], "stats": 7}\n\n'),
            chunk(b'data: {"choices": [], "usage": {"x": "\\ud83d"}}\n\n'),
            chunk(b'data: {"timings": {"predicted_ms": 1%s}}\n\n' % (b"0" * 400)),
            chunk(b"data: [DONE]\n\n"),
            END,
        ),
        Outcome.FAIL,
        None,
        "",
    ),
    "no end of the answer": Case(
        endless, ERROR, Fault.ENDLESS, "no end of the answer after far more than 8 tokens"
    ),
    "no end of an error": Case(dripping_error, Outcome.TIMEOUT, None, "no end after 0.5 s"),
    "a trickle of nothing": Case(trickle, Outcome.TIMEOUT, None, "no end after 0.5 s"),
    "silence": Case(silence, Outcome.TIMEOUT, None, "silent for 0.5 s"),
    "a character split over reads": Case(
        stream(
            chunk(b'data: {"choices":[{"index":0,"delta":{"content":"gr'),
            *(chunk(bytes([byte])) for byte in "ü".encode()),
            chunk(b'n"}}]}\n\ndata: [DONE]\n\n'),
            END,
        ),
        Outcome.FAIL,
        None,
        "",
    ),
}


def llama(url: str) -> tuple[Generate, Callable[[], None]]:
    client = LlamaClient(url)
    return client.stream_chat, client.close


def openai(url: str) -> tuple[Generate, Callable[[], None]]:
    client = OpenAiClient(url)
    return lambda request: client.stream_chat("m", request, EXTRAS), client.close


def lmstudio(url: str) -> tuple[Generate, Callable[[], None]]:
    client = LmStudioClient(url)
    return lambda request: client.stream(ROUTES[0], "m", request), client.close


@pytest.fixture
def wires() -> Iterator[list[Wire]]:
    made: list[Wire] = []
    yield made
    for wire in made:
        wire.close()


@dataclass
class Asked:
    """As much of a model as a graded run needs."""

    generate: Generate
    pid: None = None

    def disturbances(self) -> tuple[()]:
        return ()

    def count_tokens(self, text: str) -> None:
        return None


def run_over(generate: Generate, folder: Path) -> TestRun:
    """Ask one task once, and return its run."""
    model: Any = Asked(generate)
    wanted = spec(max_output_tokens=8, task_timeout_sec=0.5)
    maker: Any = None
    opened = OpenSession(model, session(), maker, time.monotonic())
    return grade_answer(ask_task(opened, wanted, task(), Turn("key", 0), folder), task(), None)


def test_the_table_holds_every_fault() -> None:
    assert {case.fault for case in CASES.values()} == {*Fault, None}


@pytest.mark.parametrize("client", [llama, openai, lmstudio])
@pytest.mark.parametrize("name", CASES)
def test_a_request_that_fails_is_told_and_not_repeated(
    name: str,
    client: Callable[[str], tuple[Generate, Callable[[], None]]],
    wires: list[Wire],
    tmp_path: Path,
) -> None:
    case = CASES[name]
    wire = Wire(case.act or silence)
    wires.append(wire)
    if case.act is None:
        wire.close()
    generate, close = client(wire.url)
    try:
        found = run_over(generate, tmp_path)
    finally:
        close()
    assert (found.outcome, found.fault) == (case.outcome, case.fault), found.outcome_detail
    assert case.says in found.outcome_detail
    journal = Journal(tmp_path / "kept", "")
    journal.append(ANSWER, found)
    assert Journal(tmp_path / "kept", "").all(ANSWER) == journal.all(ANSWER), (
        "what was said is kept"
    )
    assert found.telemetry.adherence_score == 0.0
    assert wire.requests == (case.act is not None)
    if case.outcome is not Outcome.FAIL:
        assert (found.answer, found.telemetry.total_latency) == (None, None)
    else:
        assert found.answer == "grün"
