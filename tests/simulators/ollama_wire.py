"""What a server written in Go sends: JSON, times and streams, byte for byte."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler
from typing import Any


def go_json(value: Any) -> bytes:
    """Return JSON as Go's encoder writes it: no spaces, UTF-8 as it is, HTML escaped."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    for char in "<>&\u2028\u2029":
        text = text.replace(char, f"\\u{ord(char):04x}")
    return text.encode()


def go_time(moment: datetime | None = None) -> str:
    """Return a time as Go's encoder writes it: no zeros at the end of the fraction."""
    text = f"{(moment or datetime.now(UTC)):%Y-%m-%dT%H:%M:%S.%f}"
    return f"{text.rstrip('0').rstrip('.')}Z"


class GoHandler(BaseHTTPRequestHandler):
    """A connection that is kept alive and streams in chunks.

    Attributes:
        bunch: Write so many lines at once.
        one_byte: Write every byte for itself.
    """

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # Go's server has it off, too
    bunch = 1
    one_byte = False

    def log_message(self, format: str, *arguments: Any) -> None:
        """Say nothing."""

    def begin(self) -> None:
        """Start a stream of lines."""
        self._pending: list[bytes] = []
        self.send_response(200)
        self.send_header("Content-Type", "application/x-ndjson")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()

    def line(self, value: dict[str, Any]) -> None:
        """Send an object on a line of its own."""
        self._pending.append(go_json(value) + b"\n")
        if len(self._pending) >= self.bunch:
            self._flush()

    def _flush(self) -> None:
        waiting, self._pending = b"".join(self._pending), []
        if waiting:
            self.write(waiting)

    def write(self, data: bytes) -> None:
        pieces = [data[i : i + 1] for i in range(len(data))] if self.one_byte else [data]
        for piece in pieces:
            self.wfile.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
            self.wfile.flush()

    def end(self) -> None:
        self._flush()
        self.wfile.write(b"0\r\n\r\n")
        self.wfile.flush()

    def send_json(self, status: int, value: Any) -> None:
        self._bytes(status, go_json(value), "application/json; charset=utf-8")

    def send_text(self, status: int, text: str) -> None:
        self._bytes(status, text.encode(), "text/plain; charset=utf-8")

    def _bytes(self, status: int, content: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
