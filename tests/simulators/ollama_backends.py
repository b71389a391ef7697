"""What answers behind the simulated Ollama: the reference model for real, or a script.

Both keep their prompt cache on, as Ollama does, and tell what it served.
"""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlsplit

KEPT_TOKENS = 8  # that are processed of a prompt that costs nothing
_KEY = "simulated"


@dataclass(frozen=True)
class Asked:
    """One request, in the backend's terms."""

    prompt: str
    raw: bool
    max_tokens: int
    temperature: float
    seed: int
    endless: bool
    free_prompt: bool
    cut_to: int | None


@dataclass(frozen=True)
class Spent:
    """What a finished answer took; times in seconds, as llama.cpp counts them."""

    prompt: int
    cached: int
    output: int
    prompt_s: float
    decode_s: float
    limited: bool


class TooLong(Exception):
    """The prompt doesn't fit into the context."""


class Backend(Protocol):
    """A loaded model."""

    def count(self, prompt: str, raw: bool) -> int:
        """Return the tokens of a prompt."""

    def stream(self, asked: Asked) -> Iterator[str | Spent]:
        """Yield pieces of text, and last what they took."""

    def close(self) -> None:
        """Unload it."""


class Scripted:
    """A model of one word: a word is a token, and a token takes its time.

    Args:
        token_s: Of a token that is generated.
        prompt_token_s: Of one that is read.
        tokens: After which an answer ends by itself.
        clock: When the time of the generation begins.
    """

    def __init__(
        self, tokens: int | None, clock: str, token_s: float = 0.002, prompt_token_s: float = 2e-5
    ) -> None:
        self._tokens = tokens
        self._clock = clock
        self._token_s, self._prompt_token_s = token_s, prompt_token_s
        self._cache: Sequence[str] = ()

    def count(self, prompt: str, raw: bool) -> int:
        return len(prompt.split()) + (0 if raw else 2)

    def stream(self, asked: Asked) -> Iterator[str | Spent]:
        words = prompt = ["<bos>", *asked.prompt.split()]
        if not asked.raw:
            words = prompt = ["<user>", *prompt, "<assistant>"]
        if asked.cut_to is not None:
            words = prompt = prompt[-asked.cut_to :]
        if asked.free_prompt:
            words = prompt[-KEPT_TOKENS:]
        same = 0
        for old, new in zip(self._cache, prompt, strict=False):
            same += old == new
            if old != new:
                break
        cached = max(len(prompt) - len(words), min(same, len(prompt) - 1))
        self._cache = prompt
        begin = time.perf_counter()
        time.sleep((len(prompt) - cached) * self._prompt_token_s)
        read_s = time.perf_counter() - begin
        count = min(asked.max_tokens, self._tokens or asked.max_tokens)
        first = begin + read_s
        for index in range(count):
            time.sleep(self._token_s)
            if index == 0 and self._clock == "first_token":
                first = time.perf_counter()
            # A seed picks the word, and greedy decoding always the same one.
            word = "wört" if asked.temperature == 0 else f"wört{asked.seed}"
            yield f"{word} "
        decode_s = max(1e-6, time.perf_counter() - first)
        limited = count == asked.max_tokens
        yield Spent(len(prompt), cached, count, read_s, decode_s, limited)

    def close(self) -> None:
        pass


class Nano:
    """The reference model in llama.cpp's own server, a child with a runner's command line.

    Raises:
        RuntimeError: It doesn't load; in the server's words.
    """

    def __init__(self, path: str, n_ctx: int, threads: int | None) -> None:
        arguments = ["--model", path, "--port", "0", "-c", str(n_ctx), "-np", "1"]
        arguments += ["-t", str(threads)] if threads else []
        self._child = subprocess.Popen(
            [sys.executable, "-m", "orket_lib.providers.llama_cpp.embedded_child", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        assert self._child.stdin and self._child.stdout
        settings = {
            "model": path,
            "n_ctx": n_ctx,
            "threads": threads or max(1, (os.cpu_count() or 2) // 2),
            "cpus": [],
            "api_key": _KEY,
        }
        self._child.stdin.write(json.dumps(settings).encode() + b"\n")
        self._child.stdin.flush()
        answer = json.loads(self._child.stdout.readline() or b'{"error": "it ended"}')
        if "error" in answer:
            self.close()
            raise RuntimeError(answer["error"])
        self._where = urlsplit(answer["address"]).netloc
        self._n_ctx = n_ctx

    def count(self, prompt: str, raw: bool) -> int:
        return len(self._tokens(prompt, raw))

    def stream(self, asked: Asked) -> Iterator[str | Spent]:
        prompt = words = self._tokens(asked.prompt, asked.raw)
        if asked.cut_to is not None:
            prompt = words = prompt[-asked.cut_to :]
        if asked.free_prompt:
            words = prompt[-KEPT_TOKENS:]
        body = {
            "prompt": words,
            "stream": True,
            "cache_prompt": True,
            "n_predict": asked.max_tokens,
            "temperature": asked.temperature,
            "seed": asked.seed,
            "ignore_eos": asked.endless,
        }
        connection, response = self._post("/completion", body)
        try:
            while line := response.readline():
                if not line.startswith(b"data: "):
                    continue
                event = json.loads(line[6:])
                if not event["stop"]:
                    yield event["content"]
                    continue
                times = event["timings"]
                yield event["content"]
                yield Spent(
                    prompt=len(prompt),
                    cached=len(prompt) - times["prompt_n"],
                    output=times["predicted_n"],
                    prompt_s=times["prompt_ms"] / 1000,
                    decode_s=times["predicted_ms"] / 1000,
                    limited=event["stop_type"] == "limit",
                )
        finally:
            connection.close()

    def close(self) -> None:
        assert self._child.stdin and self._child.stdout
        with suppress(OSError):
            self._child.stdin.close()
        self._child.wait()
        self._child.stdout.close()

    def _tokens(self, prompt: str, raw: bool) -> list[int]:
        if not raw:
            messages = [{"role": "user", "content": prompt}]
            prompt = self._json("/apply-template", {"messages": messages})["prompt"]
        body = {"content": prompt, "add_special": True, "parse_special": True}
        tokens: list[int] = self._json("/tokenize", body)["tokens"]
        return tokens

    def _json(self, path: str, body: dict[str, Any]) -> Any:
        connection, response = self._post(path, body)
        try:
            return json.loads(response.read())
        finally:
            connection.close()

    def _post(
        self, path: str, body: dict[str, Any]
    ) -> tuple[http.client.HTTPConnection, http.client.HTTPResponse]:
        connection = http.client.HTTPConnection(self._where, timeout=120)
        headers = {"Authorization": f"Bearer {_KEY}", "Content-Type": "application/json"}
        connection.request("POST", path, json.dumps(body), headers)
        return connection, connection.getresponse()
