"""Who really answers behind a simulator: the reference model, or a few lines of Python."""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

TESTS = Path(__file__).resolve().parents[1]
for folder in (TESTS, TESTS / "traps", TESTS.parent):
    if str(folder) not in sys.path:
        sys.path.append(str(folder))


@dataclass
class Answer:
    """An answer under way; counts and end are known when its pieces are."""

    pieces: Iterator[str]
    prompt_tokens: int = 0
    output_tokens: int = 0
    finish_reason: str = "stop"


@dataclass(frozen=True)
class Question:
    """What a server is asked."""

    prompt: str
    limit: int
    temperature: float = 0.0
    seed: int | None = None
    ignore_eos: bool = False


class Backend(Protocol):
    """Answers for the tags that it has."""

    def load(self, tag: str, n_ctx: int) -> None: ...

    def unload(self, tag: str) -> None: ...

    def count(self, tag: str, text: str) -> int: ...

    def answer(self, tag: str, question: Question) -> Answer: ...


class WordBackend:
    """Tokens are words. It finds the number that `builders.task` asks for, and says little else.

    Args:
        prompt_s: How long it takes for a prompt.
        piece_s: And from one piece of an answer to the next.
        word_s: How long it takes for each token of a prompt, besides.
        before: What it says before an answer.
    """

    TEMPLATE = 3  # tokens that its chat template adds

    def __init__(
        self, prompt_s: float = 0.0, piece_s: float = 0.0, word_s: float = 0.0, before: str = ""
    ) -> None:
        self._prompt_s = prompt_s
        self._piece_s = piece_s
        self._word_s = word_s
        self._before = [f"{word} " for word in before.split()]

    def load(self, tag: str, n_ctx: int) -> None:
        """Nothing to be loaded."""

    def unload(self, tag: str) -> None:
        """Nothing to be unloaded."""

    def count(self, tag: str, text: str) -> int:
        return len(text.split())

    def answer(self, tag: str, question: Question) -> Answer:
        words = question.prompt.split()
        numbers = [word for word in words if word.isdigit()]
        said = [f"wörd{question.seed or 0} "] * question.limit
        if not question.ignore_eos:
            said = [*self._before, numbers[0] if numbers else "yes", "."]
        answer = Answer(iter(()), prompt_tokens=len(words) + self.TEMPLATE)
        answer.finish_reason = "length" if len(said) >= question.limit else "stop"
        said = said[: question.limit]

        def pieces() -> Iterator[str]:
            due_s = time.perf_counter() + self._prompt_s + self._word_s * answer.prompt_tokens
            for piece in said:
                time.sleep(max(0.0, due_s - time.perf_counter()))
                due_s += self._piece_s
                answer.output_tokens += 1
                yield piece

        answer.pieces = pieces()
        return answer


class NanoBackend:
    """The reference model behind our embedded server, a child process for each loaded tag.

    Args:
        files: Model file of each tag.
    """

    def __init__(self, files: dict[str, Path]) -> None:
        self._files = files
        self._served: dict[str, tuple[ExitStack, Any]] = {}
        # On Linux a child dies with the thread that started it; one for a request ends too soon.
        self._starter = ThreadPoolExecutor(max_workers=1)

    def load(self, tag: str, n_ctx: int) -> None:
        self._starter.submit(self._load, tag, n_ctx).result()

    def _load(self, tag: str, n_ctx: int) -> None:
        from nano import nano_spec

        from orket_lib.providers.base import Source
        from orket_lib.providers.llama_cpp.embedded import EmbeddedProvider

        stack = ExitStack()
        log = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "server.log"
        spec = nano_spec("Q2_K", n_ctx=n_ctx)  # its quant is a label: the file decides
        source = Source(self._files[tag])
        self._served[tag] = (
            stack,
            stack.enter_context(EmbeddedProvider().serve(spec, source, log)),
        )

    def unload(self, tag: str) -> None:
        stack, _ = self._served.pop(tag)
        stack.close()

    def close(self) -> None:
        for tag in list(self._served):
            self.unload(tag)
        self._starter.shutdown()

    def count(self, tag: str, text: str) -> int:
        return int(self._served[tag][1].count_tokens(text))

    def answer(self, tag: str, question: Question) -> Answer:
        answer = Answer(iter(()))
        answer.pieces = self._pieces(tag, question, answer)
        return answer

    def _pieces(self, tag: str, question: Question, answer: Answer) -> Iterator[str]:
        import httpx

        address = self._served[tag][1].address
        body: dict[str, Any] = {
            "messages": [{"role": "user", "content": question.prompt}],
            "max_tokens": question.limit,
            "temperature": question.temperature,
            "stream": True,
            "stream_options": {"include_usage": True},
            "cache_prompt": False,
            "ignore_eos": question.ignore_eos,
        }
        if question.seed is not None:
            body["seed"] = question.seed
        headers = {"Authorization": f"Bearer {address.api_key}"}
        url = f"{address.base_url}/v1/chat/completions"
        with (
            httpx.Client(trust_env=False, timeout=120.0) as client,
            client.stream("POST", url, json=body, headers=headers) as response,
        ):
            if response.status_code != httpx.codes.OK:
                raise ValueError(response.read().decode())
            for line in response.iter_lines():
                data = line.removeprefix("data: ")
                if not line.startswith("data: ") or data == "[DONE]":
                    continue
                chunk = json.loads(data)
                for choice in chunk.get("choices") or ():
                    answer.finish_reason = choice.get("finish_reason") or answer.finish_reason
                    if piece := choice["delta"].get("content"):
                        yield piece
                if usage := chunk.get("usage"):
                    answer.prompt_tokens = usage["prompt_tokens"]
                    answer.output_tokens = usage["completion_tokens"]


def nano_files(prefix: str, quants: list[str]) -> dict[str, Path]:
    """Return the reference model's files by tag: `PREFIX-QUANT`."""
    from nano import nano_file

    return {f"{prefix}-{quant}": nano_file(quant) for quant in quants}
