"""Simulator of LM Studio, of the versions before and since 0.4: the documented bytes, and lies.

    python tests/simulators/lmstudio_server.py --model orket-nano@q4_k_m=Q4_K_M

has the reference model in that quant under that name, prints its port, and ends when its standard
input is closed.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass, field
from typing import Any

from simulator_backends import Answer, Backend, NanoBackend, Question
from simulator_http import Exchange, Lies, Simulator, SseWriter, serve_as_program

_CREATED = 1760000000
_DEFAULT_CTX = 4096
_OWN, _COMPATIBLE = "/api/v0/", "/v1/"
_STOPS = {"stop": "eosFound", "length": "maxPredictedTokensReached"}


@dataclass
class Instance:
    """A model in memory."""

    key: str
    quant: str
    n_ctx: int
    ttl_s: float | None = None
    used_s: float = field(default_factory=time.monotonic)

    @property
    def expired(self) -> bool:
        return self.ttl_s is not None and time.monotonic() - self.used_s > self.ttl_s


class LmStudioSimulator(Simulator):
    """An LM Studio.

    Args:
        backend: Who answers; its tags are quants.
        models: The quant of each model.
        native: It has `/api/v1`, as versions since 0.4.
        own: It answers below `/api/v0`.
        counts_own: It counts tokens in streams there.
        load_error: What it says instead of loading a model.
        lies: How it misbehaves.
        port: To listen at; 0 is any.
    """

    def __init__(
        self,
        backend: Backend,
        models: dict[str, str],
        native: bool = True,
        own: bool = True,
        counts_own: bool = True,
        load_error: str | None = None,
        lies: Lies | None = None,
        port: int = 0,
    ) -> None:
        super().__init__(lies, port)
        self._backend = backend
        self._models = models
        self._native = native
        self._own = own
        self._counts_own = counts_own
        self._load_error = load_error
        self.loaded: dict[str, Instance] = {}

    def load(self, key: str, n_ctx: int | None, ttl_s: float | None = None) -> str:
        """Load a model, once more if it is loaded already, and return its instance."""
        name, number = key, 1
        while name in self.loaded:
            number += 1
            name = f"{key}:{number}"
        quant = self.lies.quant or self._models[key]
        context = self.lies.n_ctx or n_ctx or _DEFAULT_CTX
        if quant not in {instance.quant for instance in self.loaded.values()}:
            self._backend.load(quant, context)
        self.loaded[name] = Instance(key, quant, context, ttl_s)
        return name

    def unload(self, name: str) -> None:
        """Unload an instance."""
        instance = self.loaded.pop(name)
        if instance.quant not in {other.quant for other in self.loaded.values()}:
            self._backend.unload(instance.quant)

    def handle(self, exchange: Exchange) -> None:
        for name in [name for name, found in self.loaded.items() if found.expired]:
            self.unload(name)
        route = (exchange.command, exchange.path)
        if self._native and route == ("GET", "/api/v1/models"):
            exchange.json({"models": [self._native_entry(key) for key in self._models]})
        elif self._native and route == ("POST", "/api/v1/models/load"):
            self._load(exchange)
        elif self._native and route == ("POST", "/api/v1/models/unload"):
            self._unload(exchange)
        elif route == ("GET", "/api/v0/models"):
            exchange.json({"data": list(self._entries()), "object": "list"})
        elif route == ("GET", "/v1/models"):
            data = [{"id": key, "object": "model", "owned_by": "organization_owner"}
                    for key in self._models]  # fmt: skip
            exchange.json({"data": data, "object": "list"})
        elif route[1] in self._answering() and route[0] == "POST":
            self._complete(exchange, own=exchange.path.startswith(_OWN))
        else:
            text = f"Unexpected endpoint or method. ({exchange.command} {exchange.path})"
            exchange.json({"error": text})  # under HTTP 200, as it really does

    def _answering(self) -> set[str]:
        roots = (_OWN, _COMPATIBLE) if self._own else (_COMPATIBLE,)
        return {root + name for root in roots for name in ("chat/completions", "completions")}

    def _native_entry(self, key: str) -> dict[str, Any]:
        instances = [
            {"id": name, "config": {"context_length": found.n_ctx, "flash_attention": True}}
            for name, found in self.loaded.items()
            if found.key == key
        ]
        return {
            "type": "llm",
            "publisher": "orket",
            "key": key,
            "display_name": key,
            "architecture": "llama",
            "quantization": {"name": self.lies.quant or self._models[key], "bits_per_weight": 4},
            "size_bytes": 241410208,
            "params_string": "3M",
            "loaded_instances": instances,
            "max_context_length": 8192,
            "format": "gguf",
            "capabilities": {"vision": False, "trained_for_tool_use": False},
            "description": None,
        }

    def _entries(self) -> list[dict[str, Any]]:
        """Return what the older version lists: models and their instances."""
        names = {**{key: key for key in self._models}}
        names |= {name: found.key for name, found in self.loaded.items()}
        return [
            {
                "id": name,
                "object": "model",
                "type": "llm",
                "publisher": "orket",
                "arch": "llama",
                "compatibility_type": "gguf",
                "quantization": self.lies.quant or self._models[key],
                "state": "loaded" if name in self.loaded else "not-loaded",
                "max_context_length": 8192,
                **(
                    {"loaded_context_length": self.loaded[name].n_ctx}
                    if name in self.loaded
                    else {}
                ),
            }
            for name, key in names.items()
        ]

    def _load(self, exchange: Exchange) -> None:
        key = exchange.body["model"]
        if self._load_error:
            error = {"type": "internal_error", "message": self._load_error}
            exchange.json({"error": error}, 500)
            return
        begin = time.monotonic()
        name = self.load(key, exchange.body.get("context_length"))
        exchange.json(
            {
                "type": "llm",
                "instance_id": name,
                "load_time_seconds": round(time.monotonic() - begin, 3),
                "status": "loaded",
                "load_config": {
                    "context_length": self.loaded[name].n_ctx,
                    "eval_batch_size": 512,
                    "flash_attention": True,
                    "offload_kv_cache_to_gpu": True,
                },
            }
        )

    def _unload(self, exchange: Exchange) -> None:
        name = exchange.body["instance_id"]
        if name not in self.loaded:
            error = {"type": "model_not_found", "message": f"No loaded instance {name}"}
            exchange.json({"error": error}, 404)
            return
        if not self.lies.stays:
            self.unload(name)
        exchange.json({"instance_id": name})

    def _complete(self, exchange: Exchange, own: bool) -> None:
        body = exchange.body
        name = body["model"]
        if name not in self.loaded:
            if name not in self._models:
                message = f'Model "{name}" not found. Please specify a valid model.'
                error = {"message": message, "type": "invalid_request_error", "param": "model"}
                exchange.json({"error": {**error, "code": "model_not_found"}}, 404)
                return
            self.load(name, None, body.get("ttl", 3600.0))  # just in time
        instance = self.loaded[name]
        instance.used_s = time.monotonic()
        if instance.ttl_s is not None and "ttl" in body:
            instance.ttl_s = body["ttl"]
        chat = "messages" in body
        prompt = body["messages"][0]["content"] if chat else body["prompt"]
        if self.lies.keeps_words is not None:
            prompt = " ".join(prompt.split()[-self.lies.keeps_words :])
        elif self._backend.count(instance.quant, prompt) >= instance.n_ctx:
            message = "Trying to keep the first tokens when context overflows; increase the context"
            exchange.json({"error": message}, 400)
            return
        seed = None if "seed" in self.lies.ignores else body.get("seed")
        # A bare text is gone on with: models end answers, and hardly ever such a text.
        endless = not chat and not self.lies.stops
        question = Question(prompt, body["max_tokens"], body.get("temperature", 0.8), seed, endless)
        answer = self._backend.answer(instance.quant, question)
        # Before the answer ends: a client that has it may look at once.
        if self.lies.evicts:
            self.unload(name)
        for _ in range(self.lies.foreign):
            self.load(instance.key, None)
        if body.get("stream"):
            self._stream(exchange, body, instance, answer, own)
        else:
            self._whole(exchange, body, instance, answer)

    def _stream(
        self,
        exchange: Exchange,
        body: dict[str, Any],
        instance: Instance,
        answer: Answer,
        own: bool,
    ) -> None:
        chat = "messages" in body
        chunk = {
            "id": "chatcmpl-um3b2l9t12bzrtha63q8" if chat else "cmpl-p9rtxv6fky2v9k8jrd8cc",
            "object": "chat.completion.chunk" if chat else "text_completion",
            "created": _CREATED,
            "model": body["model"],
            "system_fingerprint": body["model"],
        }

        def event(delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
            said = {"delta": delta} if chat else {"text": delta.get("content", "")}
            choice: dict[str, Any] = {"index": 0, **said, "logprobs": None}
            return {**chunk, "choices": [{**choice, "finish_reason": finish}]}

        writer = SseWriter(exchange, self.lies)
        begin = time.perf_counter()
        arrivals = []
        if self.lies.free_prompts:
            writer.event(event({"role": "assistant", "content": " "}))
            writer.flush()
        for index, piece in enumerate(answer.pieces):
            arrivals.append(time.perf_counter())
            key = "reasoning_content" if index < self.lies.reasoning else "content"
            writer.event(event({"role": "assistant", key: piece}))
            if index == 0 and writer.break_off():
                return
        first, end = (arrivals[0], arrivals[-1]) if arrivals else (begin, begin)
        writer.event(event({}, answer.finish_reason))
        last: dict[str, Any] = {**chunk, "choices": []}
        wanted = body.get("stream_options", {}).get("include_usage")
        if wanted and not self.lies.no_usage and (self._counts_own or not own):
            last["usage"] = _usage(answer)
        if own and not self.lies.no_stats:
            last |= self._about(instance, answer, first - begin, end - first)
        if "usage" in last or "stats" in last:
            writer.event(last)
        writer.end()

    def _whole(
        self, exchange: Exchange, body: dict[str, Any], instance: Instance, answer: Answer
    ) -> None:
        begin = time.perf_counter()
        text = "".join(answer.pieces)
        message = {"role": "assistant", "content": text}
        choice = {"index": 0, "logprobs": None, "finish_reason": answer.finish_reason}
        exchange.json(
            {
                "id": "chatcmpl-i3gkjwthhw96whukek9tz",
                "object": "chat.completion",
                "created": _CREATED,
                "model": body["model"],
                "choices": [{**choice, "message": message}],
                "usage": _usage(answer),
                **self._about(instance, answer, 0.01, time.perf_counter() - begin),
            }
        )

    def _about(
        self, instance: Instance, answer: Answer, first_s: float, decode_s: float
    ) -> dict[str, Any]:
        """Return the statistics of its own route; times have a resolution of 1 ms."""
        return {
            "stats": {
                "tokens_per_second": answer.output_tokens / max(decode_s, 1e-6),
                "time_to_first_token": round(first_s, 3),
                "generation_time": round(decode_s, 3),
                "stop_reason": _STOPS[answer.finish_reason],
            },
            "model_info": {
                "arch": "llama",
                "quant": instance.quant,
                "format": "gguf",
                "context_length": instance.n_ctx,
            },
            "runtime": {
                "name": "llama.cpp-linux-x86_64-avx2",
                "version": "1.52.0",
                "supported_formats": ["gguf"],
            },
        }


def _usage(answer: Answer) -> dict[str, int]:
    return {
        "prompt_tokens": answer.prompt_tokens,
        "completion_tokens": answer.output_tokens,
        "total_tokens": answer.prompt_tokens + answer.output_tokens,
    }


def main() -> None:
    """Have the reference model until standard input is closed."""
    from nano import TAGS, nano_file

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", action="append", required=True, help="NAME=QUANT")
    parser.add_argument("--older", action="store_true", help="a version before 0.4")
    parser.add_argument("--port", type=int, default=0)
    options = parser.parse_args()
    backend = NanoBackend({quant: nano_file(quant) for quant in TAGS})
    models = dict(pair.split("=") for pair in options.model)
    simulator = LmStudioSimulator(backend, models, native=not options.older, port=options.port)
    try:
        serve_as_program(simulator)
    finally:
        backend.close()


if __name__ == "__main__":
    main()
