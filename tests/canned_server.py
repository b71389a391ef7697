"""A server on the loopback that gives fixed answers: for code that only asks what there is.

It stands in for no product: an answer is whatever bytes a test gives it, and a route that a test
doesn't name is a 404.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answers = Mapping[str, Any]


class CannedServer(ThreadingHTTPServer):
    """Answers `METHOD /path` with what it was given: JSON, bytes, or a (status, JSON) pair."""

    daemon_threads = True

    def __init__(self, answers: Answers) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers = dict(answers)
        self.asked: list[str] = []
        self.keys: list[str | None] = []
        self.hang = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: CannedServer

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        route = f"{self.command} {self.path}"
        self.server.asked.append(route)
        self.server.keys.append(self.headers.get("Authorization"))
        found = self.server.answers.get(route, (404, {"error": "no such route"}))
        if callable(found):
            found = found(json.loads(body or b"{}"))
        if found == "hang":
            self.server.hang.wait(60)
            return
        status, content = found if isinstance(found, tuple) else (200, found)
        data = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = _answer  # noqa: N815

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@contextmanager
def canned_server(answers: Answers) -> Iterator[CannedServer]:
    """Serve until the context ends."""
    server = CannedServer(answers)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server
    finally:
        server.hang.set()
        server.shutdown()
        thread.join()
        server.server_close()


def ollama(*models: Mapping[str, Any], loaded: tuple[str, ...] = (), **answers: Any) -> Answers:
    """Return the answers of an Ollama server that has some models, in its own words."""
    shown = {model["name"]: model for model in models}
    return {
        "GET /api/version": {"version": "0.12.3"},
        "GET /api/tags": {
            "models": [
                {key: value for key, value in model.items() if key != "model_info"}
                for model in models
            ]
        },
        "GET /api/ps": {"models": [shown[name] for name in loaded]},
        "POST /api/show": lambda body: {
            "details": shown[body["model"]]["details"],
            "model_info": shown[body["model"]].get("model_info", {}),
            "capabilities": shown[body["model"]].get("capabilities", ["completion"]),
        },
        **answers,
    }


def ollama_model(name: str, quant: str, gib: float = 4.0, **changes: Any) -> dict[str, Any]:
    """Return a model as Ollama lists it, a Llama of eight thousand million weights."""
    return {
        "name": name,
        "model": name,
        "modified_at": "2026-05-04T14:56:49.277302595-07:00",
        "size": int(gib * 1024**3),
        "digest": f"{sum(map(ord, name)):064x}",
        "details": {
            "parent_model": "",
            "format": "gguf",
            "family": "llama",
            "families": ["llama"],
            "parameter_size": "8.0B",
            "quantization_level": quant,
        },
        "model_info": {
            "general.architecture": "llama",
            "general.parameter_count": 8030261248,
            "llama.attention.head_count": 32,
            "llama.attention.head_count_kv": 8,
            "llama.block_count": 32,
            "llama.context_length": 131072,
            "llama.embedding_length": 4096,
            "llama.vocab_size": 128256,
            "tokenizer.ggml.tokens": None,
        },
        **changes,
    }
