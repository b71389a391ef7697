"""A fake that has a context: it takes words for tokens, and loses what is far away."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from builders import generation, served
from fake_provider import FakeModel, FakeProvider

from orket_lib.artifacts.measurements.spec import MeasurementSpec
from orket_lib.providers.base import Generation, GenerationRequest, Source
from orket_lib.vocabulary.errors import RequestFailed

TEMPLATE = 2  # tokens


@dataclass
class ContextModel(FakeModel):
    """Finds what lies between stars, up to so many tokens of a prompt."""

    reach: int = 10**9
    counts: bool = True
    requests: list[GenerationRequest] = field(default_factory=list)

    def generate(self, request: GenerationRequest) -> Generation:
        self.fault(request)
        self.requests.append(request)
        tokens = len(request.prompt.split()) + TEMPLATE
        if tokens + request.max_tokens > int(self.served.n_ctx or 0):
            raise RequestFailed(f"{tokens} tokens are too many")
        marked = re.findall(r"\* (\w+) \*", request.prompt)
        known = marked if tokens <= self.reach else []
        summed = str(sum(map(int, known))) if known and known[0].isdigit() else None
        count = request.max_tokens if request.ignore_eos else 1
        cached = tokens - 40 if request.reuse_cache else 0
        first_s = 0.01 if request.reuse_cache else tokens / 1000
        return generation(
            text=summed or " ".join(known) or "white",
            chunk_s=tuple(first_s + 0.01 * index for index in range(count)),
            usage={"prompt_tokens": tokens, "completion_tokens": count, "total_tokens": 0},
            timings={
                "cache_n": cached,
                "prompt_n": tokens - cached,
                "prompt_ms": first_s * 1000,
                "predicted_ms": 10.0 * (count - 1),
            },
        )

    def count_tokens(self, text: str) -> int | None:  # type: ignore[override]
        return len(text.split()) if self.counts else None


@dataclass
class ContextProvider(FakeProvider):
    """Serves the context that is asked for, up to `trained`."""

    trained: int = 10**9
    reach: int = 10**9
    counts: bool = True
    loads: list[int] = field(default_factory=list)

    @contextmanager
    def serve(self, spec: MeasurementSpec, source: Source, log: Path) -> Iterator[FakeModel]:
        log.write_bytes(self.last_words)
        if self.load_error:
            raise self.load_error
        assert spec.n_ctx is not None
        self.loads.append(spec.n_ctx)
        facts = served(**({"n_ctx": min(spec.n_ctx, self.trained)} | self.changes))
        model = ContextModel(self.fault, facts, reach=self.reach, counts=self.counts)
        self.models.append(model)
        yield model

    @property
    def requests(self) -> list[GenerationRequest]:
        return [
            request
            for model in self.models
            if isinstance(model, ContextModel)
            for request in model.requests
        ]
