"""A model on a clock of its own: each request takes as long as its tokens do, and no real time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from builders import generation, served
from fake_provider import ADDRESS

from orket_lib.artifacts.views.run_report import (
    ControlReadback,
    LoadTimes,
    Observation,
    ServedModel,
)
from orket_lib.providers.base import Generation, GenerationRequest, ServerAddress

TEMPLATE = 3  # tokens that its chat template adds to a prompt; others are its words


@dataclass
class SlowModel:
    """Answers at so many tokens a second.

    Attributes:
        prompt_tps: Of a prompt.
        decode_tps: Of an answer.
        counts: It has a tokenizer that can be asked.
        tells_times: It tells how long it took.
        first_token_counts: The time of the first token is in what it tells.
        in_one_piece: Its text arrives all at once.
        unread_s: For so long from the start of a request, nothing that arrives is read.
        late_s: What disturbs the generation with an index, in seconds.
    """

    prompt_tps: float = 20.0
    decode_tps: float = 5.0
    counts: bool = True
    tells_times: bool = True
    first_token_counts: bool = False
    in_one_piece: bool = False
    unread_s: float = 0.0
    late_s: Callable[[int], float] = lambda _: 0.0
    served: ServedModel = field(default_factory=served)
    address: ServerAddress = ADDRESS
    pid: int | None = None
    controls: tuple[ControlReadback, ...] = ()
    load: LoadTimes = field(
        default_factory=lambda: LoadTimes.of(load_seconds=0.5, model_seconds=0.4)
    )
    now_s: float = 0.0
    asked: list[tuple[int, int]] = field(default_factory=list)  # tokens of prompt and answer

    def clock(self) -> float:
        return self.now_s

    def count_tokens(self, text: str) -> int | None:
        return len(text.split()) if self.counts else None

    def takes_tools(self) -> None: ...

    def scorer(self, timeout_s: float) -> None: ...

    def disturbances(self) -> tuple[Observation, ...]:
        return ()

    def generate(self, request: GenerationRequest) -> Generation:
        prompt, output = len(request.prompt.split()) + TEMPLATE, request.max_tokens
        late_s = self.late_s(len(self.asked))
        prefill_s, token_s = prompt / self.prompt_tps, 1 / self.decode_tps
        first_s = prefill_s + late_s
        last_s = first_s + (output - 1) * token_s
        self.asked.append((prompt, output))
        self.now_s += last_s
        unread_s = last_s if self.in_one_piece else min(self.unread_s, last_s)
        chunks = tuple(max(unread_s, first_s + index * token_s) for index in range(output))
        reported: dict[str, Any] = {
            "cache_n": 0,
            "prompt_n": prompt,
            "prompt_ms": prefill_s * 1000,
            "predicted_ms": 1000
            * (late_s + token_s * (output - (0 if self.first_token_counts else 1))),
        }
        return generation(
            text="word " * output,
            chunk_s=chunks,
            usage={"prompt_tokens": prompt, "completion_tokens": output},
            timings=reported if self.tells_times else None,
        )
