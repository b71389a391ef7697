"""One client in a process of its own, which reads streams of the fast server one after another.

`python tools/bench/stream_client.py http.client|orket PORT REQUESTS CHUNKS`
"""

from __future__ import annotations

import http.client
import json
import sys
import time


def plain(port: int, requests: int, chunks: int) -> None:
    """Read each stream with the standard library, a time stamp for each chunk, and parse it."""
    body = json.dumps({"messages": [{"role": "user", "content": "x"}], "stream": True})
    for _ in range(requests):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        connection.request(
            "POST", "/v1/chat/completions", body, {"Content-Type": "application/json"}
        )
        seen = []
        for line in connection.getresponse():
            if line.startswith(b"data: {"):
                seen.append((time.perf_counter(), json.loads(line[6:])))
        connection.close()
        assert len(seen) == chunks + 1  # and the usage


def orket(port: int, requests: int, chunks: int) -> None:
    """Read each stream with our client, up to its token counts and times."""
    from orket_lib.measure.speed.token_metrics import Tokens
    from orket_lib.providers.base import GenerationRequest
    from orket_lib.providers.llama_cpp.client import LlamaClient

    client = LlamaClient(f"http://127.0.0.1:{port}")
    for _ in range(requests):
        found = client.stream_chat(GenerationRequest("x", chunks, 0.0, None, 30.0))
        assert Tokens.of(found, None).output == chunks
    client.close()


if __name__ == "__main__":
    {"http.client": plain, "orket": orket}[sys.argv[1]](*map(int, sys.argv[2:]))
