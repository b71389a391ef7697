"""A server that does nothing but stream: what a client costs shows against it.

`python tools/bench/fast_server.py CHUNKS SPACING_US` listens on a free loopback port, prints
the port, and answers every request with a stream in llama.cpp's format, each chunk in a write of
its own and carrying the server's own clock. It ends when its standard input is closed.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import threading
import time

# What some clients want to see in each chunk.
_CHUNK = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m"}
_HEAD = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
    b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
)


def main() -> None:
    """Serve until standard input is closed."""
    chunks, spacing_s = int(sys.argv[1]), int(sys.argv[2]) / 1e6
    threading.Thread(target=_exit_at_end_of_input, daemon=True).start()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        print(listener.getsockname()[1], flush=True)
        while True:
            connection, _ = listener.accept()
            with connection:
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                _read_request(connection)
                _answer(connection, chunks, spacing_s)


def _read_request(connection: socket.socket) -> None:
    data = b""
    while b"\r\n\r\n" not in data:
        data += connection.recv(65536)
    head, _, body = data.partition(b"\r\n\r\n")
    lengths = (
        line.split(b":")[1] for line in head.lower().split(b"\r\n") if b"content-length" in line
    )
    wanted = int(next(lengths, b"0"))
    while len(body) < wanted:
        body += connection.recv(65536)


def _answer(connection: socket.socket, chunks: int, spacing_s: float) -> None:
    connection.sendall(_HEAD)
    due = time.perf_counter()
    for _ in range(chunks):
        due += spacing_s
        while time.perf_counter() < due:
            pass  # a sleep would be later than the spacing is long
        delta = {"content": f"{time.perf_counter()!r} "}
        _send(connection, [{"index": 0, "delta": delta, "finish_reason": None}])
    usage = {"completion_tokens": chunks, "prompt_tokens": 1, "total_tokens": chunks + 1}
    _send(connection, [], usage=usage)
    _write(connection, b"data: [DONE]\n\n")
    connection.sendall(b"0\r\n\r\n")


def _send(connection: socket.socket, choices: list[object], **more: object) -> None:
    chunk = {**_CHUNK, "choices": choices, **more}
    _write(connection, b"data: " + json.dumps(chunk).encode() + b"\n\n")


def _write(connection: socket.socket, data: bytes) -> None:
    connection.sendall(b"%x\r\n%s\r\n" % (len(data), data))


def _exit_at_end_of_input() -> None:
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    main()
