"""A server that answers what a test says, over kept connections."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from orket_lib.providers.base import ServerAddress

KEY = "a-secret-key-of-ours"
Body = dict[str, Any]
Answer = Callable[[str, Body], Any]  # JSON, bytes, or the status of a refusal


@contextmanager
def server(answer: Answer, most: int | None = None) -> Iterator[tuple[ServerAddress, list[Body]]]:
    """Serve answers over HTTP/1.1; closes each connection after `most` requests, unannounced."""
    asked: list[Body] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        served = 0

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            asked.append({**body, "path": self.path, "client": self.client_address})
            found = answer(self.path, body)
            status = found if isinstance(found, int) else 200
            refused = f"no: {self.headers['Authorization']}"
            said = found if isinstance(found, bytes) else json.dumps(found).encode()
            content = said if status == 200 else refused.encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)
            self.served += 1
            self.close_connection = self.served == most

        def log_message(self, *_: object) -> None:
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=http.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield ServerAddress(f"http://127.0.0.1:{http.server_port}", KEY), asked
    finally:
        http.shutdown()
        http.server_close()
        thread.join()


def entries(*logprobs: float) -> list[Body]:
    return [
        {"id": index, "token": f"t{index}", "bytes": [index], "logprob": value}
        for index, value in enumerate(logprobs)
    ]
