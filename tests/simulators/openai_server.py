"""Simulator of vLLM, and of SGLang, TGI and a plain server: the documented bytes, and lies.

    python tests/simulators/openai_server.py --model orket-nano-Q4_K_M=Q4_K_M

serves the reference model in that quant under that name, prints its port, and ends when its
standard input is closed.
"""

from __future__ import annotations

import argparse
from typing import Any, Literal

from simulator_backends import Answer, Backend, NanoBackend, Question
from simulator_http import Exchange, Lies, Simulator, SseWriter, serve_as_program

Kind = Literal["vllm", "sglang", "tgi", "plain"]
VERSION = "0.11.0"
_CREATED = 1760000000


class OpenAiSimulator(Simulator):
    """A server of one kind, with models that are loaded already.

    Args:
        backend: Who answers.
        tags: The names of its models.
        n_ctx: Their context.
        kind: Which server it is.
        details: It was started with vLLM's `--enable-prompt-tokens-details`.
        root: Path of its model.
        lies: How it misbehaves.
        port: To listen at; 0 is any.
    """

    def __init__(
        self,
        backend: Backend,
        tags: list[str],
        n_ctx: int = 2048,
        kind: Kind = "vllm",
        details: bool = False,
        root: str | None = None,
        lies: Lies | None = None,
        port: int = 0,
    ) -> None:
        super().__init__(lies, port)
        self._backend = backend
        self.tags = tags
        self._n_ctx = n_ctx
        self._kind = kind
        self._details = details
        self.root = root
        self._known: set[tuple[str, str]] = set()
        self.restart()
        for tag in tags:
            backend.load(tag, n_ctx)

    def restart(self) -> None:
        """Begin to count anew, with an empty cache."""
        self._ended = {"stop": 0, "length": 0}
        self._running = 0
        self._hits = 0
        self._known.clear()

    @property
    def n_ctx(self) -> int:
        return self.lies.n_ctx or self._n_ctx

    def handle(self, exchange: Exchange) -> None:
        route = (exchange.command, exchange.path)
        if route == ("GET", "/v1/models"):
            exchange.json({"object": "list", "data": [self._card(tag) for tag in self.tags]})
        elif route == ("POST", "/v1/chat/completions"):
            self._chat(exchange)
        elif self._kind == "vllm" and route == ("GET", "/version"):
            exchange.json({"version": VERSION})
        elif self._kind == "vllm" and route == ("GET", "/metrics"):
            exchange.text(self._metrics(), "text/plain; version=0.0.4; charset=utf-8")
        elif self._kind == "vllm" and route == ("POST", "/tokenize"):
            count = self._backend.count(exchange.body["model"], exchange.body["prompt"])
            tokens = list(range(count))
            exchange.json(
                {"count": count, "max_model_len": self.n_ctx, "tokens": tokens, "token_strs": None}
            )
        elif self._kind == "tgi" and route == ("GET", "/info"):
            exchange.json(self._info())
        elif self._kind == "sglang" and route == ("GET", "/get_server_info"):
            exchange.json(
                {
                    "model_path": f"/models/{self.tags[0]}",
                    "quantization": self.lies.quant,
                    "context_length": None,
                    "version": "0.5.3",
                    "internal_states": [{}],
                }
            )
        else:
            exchange.json({"detail": "Not Found"}, 404)

    def _card(self, tag: str) -> dict[str, Any]:
        bare = {"id": tag, "object": "model", "created": _CREATED}
        if self._kind in ("tgi", "plain"):
            return {**bare, "owned_by": tag if self._kind == "tgi" else "someone"}
        card = {**bare, "owned_by": self._kind, "root": self.root or f"/models/{tag}"}
        card |= {"parent": None, "max_model_len": self.n_ctx}
        return card | ({"permission": []} if self._kind == "vllm" else {})

    def _info(self) -> dict[str, Any]:
        return {
            "model_id": f"hub/{self.tags[0]}",
            "model_sha": "0" * 40,
            "model_dtype": "float16",
            "model_device_type": "cuda",
            "max_concurrent_requests": 128,
            "max_input_tokens": self.n_ctx - 1,
            "max_total_tokens": self.n_ctx,
            "router": "text-generation-router",
            "version": "3.3.6",
        }

    def _metrics(self) -> str:
        label = f'engine="0",model_name="{self.tags[0]}"'
        lines = [
            "# HELP vllm:num_requests_running Number of requests in model execution batches.",
            "# TYPE vllm:num_requests_running gauge",
            f"vllm:num_requests_running{{{label}}} {float(self._running)}",
            "# TYPE vllm:num_requests_waiting gauge",
            f"vllm:num_requests_waiting{{{label}}} 0.0",
            "# TYPE vllm:prefix_cache_hits_total counter",
            f"vllm:prefix_cache_hits_total{{{label}}} {float(self._hits)}",
            "# TYPE vllm:request_success_total counter",
            *(
                f'vllm:request_success_total{{{label},finished_reason="{reason}"}} {float(count)}'
                for reason, count in self._ended.items()
            ),
        ]
        return "\n".join(lines) + "\n"

    def _refusal(self, body: dict[str, Any]) -> tuple[int, str, str] | None:
        """Return status, kind and message of what is wrong with a request."""
        refused = [name for name in self.lies.refuses if name in body]
        if refused:
            return 400, "BadRequestError", f"Extra inputs are not permitted: {refused[0]}"
        if body["model"] not in self.tags:
            return 404, "NotFoundError", f"The model `{body['model']}` does not exist."
        words = self._backend.count(body["model"], body["messages"][0]["content"])
        asked = words + body["max_tokens"]
        if asked > self.n_ctx and self.lies.keeps_words is None:
            return (
                400,
                "BadRequestError",
                (
                    f"This model's maximum context length is {self.n_ctx} tokens. However, you "
                    f"requested {asked} tokens. Please reduce the length of the messages."
                ),
            )
        return None

    def _chat(self, exchange: Exchange) -> None:
        body = exchange.body
        refusal = self._refusal(body)
        if refusal:
            status, kind, message = refusal
            error = {"message": message, "type": kind, "param": None, "code": status}
            exchange.json({"error": error}, status)
            return
        self._running += 1
        try:
            self._stream(exchange, body, self._backend.answer(body["model"], self._question(body)))
        finally:
            self._running -= 1

    def _question(self, body: dict[str, Any]) -> Question:
        said = {name: body[name] for name in body if name not in self.lies.ignores}
        prompt = body["messages"][0]["content"]
        if self.lies.keeps_words is not None:
            prompt = " ".join(prompt.split()[-self.lies.keeps_words :])
        return Question(
            prompt=prompt,
            limit=body["max_tokens"],
            temperature=body.get("temperature", 1.0),
            seed=said.get("seed"),
            ignore_eos=said.get("ignore_eos", False)
            or said.get("min_tokens", 0) >= body["max_tokens"],
        )

    def _stream(self, exchange: Exchange, body: dict[str, Any], answer: Answer) -> None:
        chunk = {
            "id": "chatcmpl-7f3a",
            "object": "chat.completion.chunk",
            "created": _CREATED,
            "model": body["model"],
        }

        def event(delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
            choice: dict[str, Any] = {"index": 0, "delta": delta, "logprobs": None}
            choice["finish_reason"] = finish
            return {**chunk, "choices": [choice]}

        writer = SseWriter(exchange, self.lies)
        writer.event(event({"role": "assistant", "content": ""}))
        if self.lies.free_prompts:
            writer.event(event({"content": " "}))
            writer.flush()
        obeyed = "thinking_token_budget" not in self.lies.ignores
        budget = body.get("thinking_token_budget", self.lies.reasoning) if obeyed else 10**6
        thoughts = min(self.lies.reasoning, budget)
        for index, piece in enumerate(answer.pieces):
            key = "reasoning_content" if index < thoughts else "content"
            writer.event(event({key: piece}))
            if index == 0 and writer.break_off():
                return
        writer.event(event({"content": ""}, answer.finish_reason))
        cached = self._account(body, answer)
        if body.get("stream_options", {}).get("include_usage") and not self.lies.no_usage:
            writer.event({**chunk, "choices": [], "usage": self._usage(answer, cached)})
        writer.end()

    def _account(self, body: dict[str, Any], answer: Answer) -> int:
        """Count the request, and return how many of its tokens the prefix cache had."""
        key = (body.get("cache_salt", ""), body["messages"][0]["content"])
        cached = answer.prompt_tokens - 1 if key in self._known or self.lies.free_prompts else 0
        self._known.add(key)
        self._hits += cached if self.lies.tells_cache else 0
        self._ended[answer.finish_reason] += 1 + self.lies.foreign
        return cached

    def _usage(self, answer: Answer, cached: int) -> dict[str, Any]:
        usage: dict[str, Any] = {
            "prompt_tokens": answer.prompt_tokens,
            "total_tokens": answer.prompt_tokens + answer.output_tokens,
            "completion_tokens": answer.output_tokens,
        }
        if self._details and self.lies.tells_cache:
            usage["prompt_tokens_details"] = {"cached_tokens": cached}
        return usage


def main() -> None:
    """Serve the reference model until standard input is closed."""
    from nano import nano_file

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", action="append", required=True, help="NAME=QUANT")
    parser.add_argument("--n-ctx", type=int, default=2048)
    parser.add_argument("--kind", default="vllm")
    parser.add_argument("--details", action="store_true")
    parser.add_argument("--port", type=int, default=0)
    options = parser.parse_args()
    named = dict(pair.split("=") for pair in options.model)
    backend = NanoBackend({name: nano_file(quant) for name, quant in named.items()})
    simulator = OpenAiSimulator(
        backend,
        list(named),
        options.n_ctx,
        options.kind,
        options.details,
        port=options.port,
    )
    try:
        serve_as_program(simulator)
    finally:
        backend.close()


if __name__ == "__main__":
    main()
