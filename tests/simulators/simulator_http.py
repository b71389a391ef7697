"""What the simulators share: a real HTTP server on the loopback that can misbehave on the wire.

A simulator is a class whose `handle` answers an `Exchange`. It runs in a thread of a test, or as a
program of its own (`serve_as_program`), which prints its port and ends when its standard input is
closed. Every request is kept. `POST /simulator/lies` sets how it misbehaves from now on, `GET
/simulator/requests` tells what it was asked.
"""

from __future__ import annotations

import json
import socket
import struct
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Lies:
    """How a simulator misbehaves; at the defaults it doesn't.

    Attributes:
        free_prompts: The first piece of an answer comes at once, as if all was cached.
        tells_cache: It says how many prompt tokens came from its cache.
        n_ctx: Context that it really has, whatever it was asked for.
        quant: Quant that it serves and names, whatever the tag says.
        keeps_words: So many words of a prompt, cut silently from its beginning.
        no_usage: It counts no tokens.
        no_stats: It tells no times.
        reasoning: So many pieces of an answer come as reasoning before it.
        bundled: So many events come in one write.
        split: Every write is one byte.
        fault: Of a stream: `error`, `cut`, `reset`, `trickle`, `not_json` or `endless`.
        loading: So many requests are answered with 503.
        refuses: Fields of a request that are answered with 400.
        ignores: Fields of a request that have no effect.
        api_key: Without it, requests are answered with 401.
        foreign: Number of other clients' requests that end with each of ours.
        stays: A model stays loaded when it should be unloaded.
        evicts: The model is unloaded after each request.
        stops: A text is ended, where models go on with it.
    """

    free_prompts: bool = False
    tells_cache: bool = True
    n_ctx: int | None = None
    quant: str | None = None
    keeps_words: int | None = None
    no_usage: bool = False
    no_stats: bool = False
    reasoning: int = 0
    bundled: int = 1
    split: bool = False
    fault: str | None = None
    loading: int = 0
    refuses: tuple[str, ...] = ()
    ignores: tuple[str, ...] = ()
    api_key: str | None = None
    foreign: int = 0
    stays: bool = False
    evicts: bool = False
    stops: bool = False


class Exchange(BaseHTTPRequestHandler):
    """One request and the ways to answer it."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server
    body: dict[str, Any]

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: standard error belongs to the test."""

    def json(self, value: Any, status: int = 200) -> None:
        """Answer with JSON as a whole."""
        self.text(json.dumps(value, ensure_ascii=False), "application/json", status)

    def text(self, text: str, kind: str, status: int = 200) -> None:
        """Answer with a text as a whole."""
        content = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def begin(self, kind: str) -> None:
        """Begin a streamed answer."""
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()

    def send(self, content: bytes) -> None:
        """Send a part of a streamed answer; an empty one ends it."""
        self.wfile.write(b"%x\r\n%s\r\n" % (len(content), content))

    def vanish(self, reset: bool = False) -> None:
        """End the connection in the middle of an answer."""
        if reset:
            linger = struct.pack("ii", 1, 0)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.close_connection = True
        with suppress(OSError):
            self.connection.close() if reset else self.connection.shutdown(socket.SHUT_RDWR)

    def _answer(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        self.body = json.loads(self.rfile.read(length) or b"{}")
        with suppress(BrokenPipeError, ConnectionResetError):  # the client has seen enough
            self.server.simulator.answer(self)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    simulator: Simulator

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), ConnectionError | ValueError):
            super().handle_error(request, client_address)


class Simulator:
    """A server that keeps what it was asked; subclasses answer in `handle`."""

    def __init__(self, lies: Lies | None = None, port: int = 0) -> None:
        self.lies = lies or Lies()
        self.requests: list[tuple[str, str, dict[str, Any]]] = []
        self._server = _Server(("127.0.0.1", port), Exchange)
        self._server.simulator = self

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def asked(self, path: str) -> list[dict[str, Any]]:
        """Return the bodies of all requests for a path."""
        return [body for _, found, body in self.requests if found == path]

    @contextmanager
    def running(self) -> Iterator[Simulator]:
        """Serve in a thread until the context ends."""
        thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            thread.join()
            self._server.server_close()

    def answer(self, exchange: Exchange) -> None:
        if exchange.path == "/simulator/lies":
            self.lies = replace(self.lies, **exchange.body)
            exchange.json(asdict(self.lies))
            return
        if exchange.path == "/simulator/requests":
            exchange.json(self.requests)
            return
        self.requests.append((exchange.command, exchange.path, exchange.body))
        if self.lies.loading:
            self.lies = replace(self.lies, loading=self.lies.loading - 1)
            exchange.json({"error": {"message": "Loading model", "code": 503}}, 503)
            return
        if self.lies.api_key and not self._authorized(exchange):
            exchange.json({"error": "Unauthorized"}, 401)
            return
        self.handle(exchange)

    def handle(self, exchange: Exchange) -> None:
        """Answer a request."""
        raise NotImplementedError

    def stop(self) -> None:
        """End what belongs to the simulator."""

    def _authorized(self, exchange: Exchange) -> bool:
        return exchange.headers.get("Authorization") == f"Bearer {self.lies.api_key}"


class SseWriter:
    """Writes events as the lies of a simulator want them: bundled, split, or broken off."""

    def __init__(self, exchange: Exchange, lies: Lies) -> None:
        self._exchange = exchange
        self._lies = lies
        self._pending: list[bytes] = []
        exchange.begin("text/event-stream; charset=utf-8")

    def event(self, data: dict[str, Any] | str, name: str = "") -> None:
        """Write an event, or keep it for the next write."""
        text = data if isinstance(data, str) else json.dumps(data, ensure_ascii=False)
        head = f"event: {name}\n" if name else ""
        self._pending.append(f"{head}data: {text}\n\n".encode())
        if len(self._pending) >= self._lies.bundled:
            self.flush()

    def flush(self) -> None:
        """Write what was kept."""
        content, self._pending = b"".join(self._pending), []
        parts = [content[i : i + 1] for i in range(len(content))] if self._lies.split else [content]
        for part in parts:
            if part:
                self._exchange.send(part)

    def end(self) -> None:
        """End the answer as it should end."""
        self.event("[DONE]")
        self.flush()
        self._exchange.send(b"")

    def break_off(self) -> bool:
        """Do to the stream what the lies want, after its first piece; False for nothing."""
        fault, send = self._lies.fault, self._exchange.send
        if fault is None:
            return False
        self.flush()
        if fault == "error":
            self.event({"error": {"message": "the engine died", "code": 500}}, "error")
            self.flush()
            send(b"")
        elif fault == "cut":
            send(b"")
        elif fault == "reset":
            self._exchange.vanish(reset=True)
        elif fault == "not_json":
            send(b"data: {oops\n\n")
            send(b"")
        elif fault == "trickle":
            while True:
                send(b": still here\n\n")
                threading.Event().wait(0.02)
        elif fault == "endless":
            piece = b'data: {"choices":[{"index":0,"delta":{"content":"%s"}}]}\n\n' % (b"a" * 65000)
            while True:
                send(piece)
        return True


def serve_as_program(simulator: Simulator) -> None:
    """Print the port, and serve until standard input is closed."""
    with simulator.running():
        sys.stdout.write(f"{simulator.port}\n")
        sys.stdout.flush()
        while sys.stdin.buffer.read(1):
            pass
        simulator.stop()
