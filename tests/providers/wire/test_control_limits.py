"""What a server may do to a control request: it ends in time, and takes little memory."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
import time
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import control_requests
import httpx
import pytest
from control_requests import CONTROLS, NO_ERROR

from orket_lib.providers.llama_cpp.client import LlamaClient
from orket_lib.providers.wire import deadline
from orket_lib.providers.wire.http import HttpServer
from orket_lib.vocabulary.errors import Fault, ProviderError, RequestFailed, RequestTimedOut
from orket_lib.vocabulary.units import MIB

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
LIMIT_S, MARGIN_S = 0.4, 10.0  # of a busy machine


def _packed(size: int) -> bytes:
    packer = zlib.compressobj(9, wbits=31)
    return packer.compress(bytes(size)) + packer.flush(zlib.Z_SYNC_FLUSH)


PACKED = _packed(256 * MIB)  # a quarter of a megabyte on the wire


def _for_ever(piece: bytes, pause_s: float = 0.0) -> Iterator[bytes]:
    while True:
        yield piece
        time.sleep(pause_s)


def _chunks(pieces: Iterator[bytes]) -> Iterator[bytes]:
    return (b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)


def endless(_: bytes) -> Iterator[bytes]:
    yield HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
    yield from _chunks(_for_ever(b'{"data": [' + b'"x",' * 16000))


def endless_until_closed(_: bytes) -> Iterator[bytes]:
    yield HEAD + b"\r\n"
    yield from _for_ever(b"x" * 65536)


def endless_error(_: bytes) -> Iterator[bytes]:
    yield b"HTTP/1.1 500 Oops\r\n\r\n"
    yield from _for_ever(b"x" * 65536)


def endless_in_gzip(_: bytes) -> Iterator[bytes]:
    yield HEAD + b"Content-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n"
    yield from _chunks(_for_ever(PACKED))


def endless_head(_: bytes) -> Iterator[bytes]:
    yield HEAD
    yield from _for_ever(b"X-More: " + b"x" * 900 + b"\r\n")


def endless_promises(_: bytes) -> Iterator[bytes]:
    yield from _for_ever(b"HTTP/1.1 102 Processing\r\n\r\n", 0.001)


def silent(_: bytes) -> Iterator[bytes]:
    yield from _for_ever(b"", 0.05)


def silent_after_the_head(_: bytes) -> Iterator[bytes]:
    yield HEAD + b"Content-Length: 9999\r\n\r\n"
    yield from _for_ever(b"", 0.05)


def a_byte_at_a_time(_: bytes) -> Iterator[bytes]:
    yield HEAD + b"Content-Length: 9999\r\n\r\n"
    yield from _for_ever(b" ", 0.05)


def a_byte_of_the_head_at_a_time(_: bytes) -> Iterator[bytes]:
    yield from _for_ever(b"H", 0.05)


def a_byte_until_closed(_: bytes) -> Iterator[bytes]:
    yield HEAD + b"\r\n{"
    yield from _for_ever(b" ", 0.05)


BEHAVIOURS = (
    endless,
    endless_until_closed,
    endless_error,
    endless_in_gzip,
    endless_head,
    endless_promises,
    silent,
    silent_after_the_head,
    a_byte_at_a_time,
    a_byte_of_the_head_at_a_time,
    a_byte_until_closed,
)


@contextmanager
def served(behaviour: Callable[[bytes], Iterator[bytes]]) -> Iterator[str]:
    """Yield the address of a server that answers every request in this way."""
    listener = socket.create_server(("127.0.0.1", 0))
    stopped = threading.Event()

    def serve(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            request = connection.recv(65536)
            for piece in behaviour(request):
                if stopped.is_set():
                    return
                if piece:
                    connection.sendall(piece)

    def accept() -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                threading.Thread(target=serve, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        stopped.set()
        listener.close()


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every time limit be a short one, whichever the request has."""
    init = deadline.Deadline.__init__
    monkeypatch.setattr(
        deadline.Deadline, "__init__", lambda self, seconds: init(self, min(seconds, LIMIT_S))
    )


@pytest.mark.usefixtures("short")
@pytest.mark.parametrize("control", CONTROLS)
@pytest.mark.parametrize(
    "behaviour", [endless, silent, a_byte_at_a_time], ids=lambda it: it.__name__
)
def test_every_control_request_ends_in_time_with_the_address(
    control: str, behaviour: Callable[[bytes], Iterator[bytes]]
) -> None:
    with served(behaviour) as url:
        begin = time.monotonic()
        try:
            CONTROLS[control](url)
            raised = None
        except ProviderError as error:
            raised = error
        taken = time.monotonic() - begin
    assert taken < 2 * LIMIT_S + MARGIN_S  # `facts` asks two routes
    assert raised is not None or control in NO_ERROR
    assert raised is None or url in str(raised)


@pytest.mark.usefixtures("short")
@pytest.mark.parametrize("behaviour", BEHAVIOURS, ids=lambda it: it.__name__)
def test_whatever_a_server_does_memory_and_time_have_an_end(
    behaviour: Callable[[bytes], Iterator[bytes]],
) -> None:
    with served(behaviour) as url, closing(HttpServer(url)) as server:
        tracemalloc.start()
        begin = time.monotonic()
        with pytest.raises((RequestFailed, RequestTimedOut), match=f"GET {url}/x: "):
            server.call("GET", "/x")
        taken, (_, peak) = time.monotonic() - begin, tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert taken < LIMIT_S + MARGIN_S
    assert peak < 50 * MIB


def peak_mib(behaviour: Callable[[bytes], Iterator[bytes]], limit_s: float) -> float:
    """Return the peak memory of a program that makes every control request to such a server."""
    with served(behaviour) as url:
        command = [sys.executable, str(Path(control_requests.__file__)), url, str(limit_s)]
        return float(subprocess.run(command, capture_output=True, check=True).stdout)


def nothing_special(_: bytes) -> Iterator[bytes]:
    yield HEAD + b"Content-Length: 2\r\n\r\n{}"


@pytest.fixture(scope="module")
def usual_mib() -> float:
    return peak_mib(nothing_special, 30.0)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("behaviour", "limit_s"),
    [(endless, 2.0), (endless_in_gzip, 2.0), (silent, 0.1), (a_byte_at_a_time, 0.1)],
)
def test_no_server_makes_all_control_requests_take_100_mib_more(
    behaviour: Callable[[bytes], Iterator[bytes]], limit_s: float, usual_mib: float
) -> None:
    assert peak_mib(behaviour, limit_s) < usual_mib + 100


@pytest.mark.parametrize("size", [0, 1, 100_000, 3 * MIB])
def test_a_large_good_answer_is_taken(size: int) -> None:
    body = b'{"a": "' + b"x" * size + b'"}'

    def good(_: bytes) -> Iterator[bytes]:
        yield HEAD + b"Content-Length: %d\r\n\r\n" % len(body)
        yield body

    with served(good) as url, closing(HttpServer(url)) as server:
        assert len(server.call("GET", "/")["a"]) == size


def test_a_good_answer_in_gzip_is_taken() -> None:
    packer = zlib.compressobj(wbits=31)
    body = packer.compress(b'{"a": 1}') + packer.flush()

    def good(_: bytes) -> Iterator[bytes]:
        yield HEAD + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(body) + body

    with served(good) as url, closing(HttpServer(url)) as server:
        assert server.call("GET", "/") == {"a": 1}


def test_a_slow_good_answer_is_taken() -> None:
    def good(_: bytes) -> Iterator[bytes]:
        yield HEAD + b"Content-Length: 8\r\n\r\n"
        for letter in b'{"a": 1}':
            time.sleep(0.02)
            yield bytes([letter])

    with served(good) as url, closing(HttpServer(url)) as server:
        assert server.call("GET", "/", timeout_s=5) == {"a": 1}


def test_the_tokens_of_a_long_text_are_a_large_good_answer() -> None:
    body = b'{"tokens": [' + b"100000, " * MIB + b"1]}"  # twice the limit of other answers
    transport = httpx.MockTransport(lambda _: httpx.Response(200, content=body))
    with closing(LlamaClient("http://127.0.0.1:1", transport=transport)) as client:
        assert client.count_tokens("x" * MIB) == MIB + 1
        with pytest.raises(RequestFailed) as raised:
            client.props()
    assert raised.value.fault is Fault.ENDLESS
