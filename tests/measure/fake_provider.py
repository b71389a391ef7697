"""A provider that serves a model made of Python: steady, right, and as faulty as a test wants."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from builders import generation, served

from orket_lib.artifacts.measurements.readiness import Probing, Warmup
from orket_lib.artifacts.measurements.server_facts import Findings, Pace
from orket_lib.artifacts.measurements.spec import MeasurementSpec
from orket_lib.artifacts.views.run_report import (
    ControlReadback,
    LoadTimes,
    Observation,
    ServedModel,
)
from orket_lib.measure.session.readiness import Ready
from orket_lib.measure.speed.probe_prompts import ProbeMaker
from orket_lib.providers.base import Generation, GenerationRequest, Model, ServerAddress, Source
from orket_lib.telemetry.samples import COLUMNS, Sample, to_cells

TOKEN_S = 0.01
SLOW = 20  # so many times slower: 51 prompt and 5 output tokens a second
ADDRESS = ServerAddress("http://127.0.0.1:9", "fake-key")

Fault = Callable[[GenerationRequest], None]


def answer(request: GenerationRequest, slow: int = 1) -> Generation:
    """Return the right answer to `What number is N + 0?`, or a probe's text of the asked length."""
    count = request.max_tokens if request.ignore_eos else 20
    numbers = [word for word in request.prompt.split() if word.isdigit()]
    return generation(
        text="word " * count if request.ignore_eos else numbers[0],
        chunk_s=tuple(slow * (0.5 + TOKEN_S * index) for index in range(count)),
        usage={"prompt_tokens": 512, "completion_tokens": count, "total_tokens": 512 + count},
        timings={
            "cache_n": 0,
            "prompt_n": 512,
            "prompt_ms": slow * 500.0,
            "predicted_ms": slow * TOKEN_S * 1000 * (count - 1),
        },
    )


@dataclass
class FakeModel:
    """Answers like `answer`, unless `fault` raises first."""

    fault: Fault
    served: ServedModel
    slow: int = 1
    tools: bool = False
    controls: tuple[ControlReadback, ...] = ()
    pid: int | None = None
    address: ServerAddress = ADDRESS
    load: LoadTimes = field(
        default_factory=lambda: LoadTimes.of(load_seconds=0.5, model_seconds=0.4)
    )
    probes: list[str] = field(default_factory=list)
    questions: list[str] = field(default_factory=list)

    def generate(self, request: GenerationRequest) -> Generation:
        self.fault(request)
        (self.probes if request.ignore_eos else self.questions).append(request.prompt)
        return answer(request, self.slow)

    def count_tokens(self, text: str) -> int:
        return len(text.split())

    def takes_tools(self) -> bool | None:
        return self.tools

    def disturbances(self) -> tuple[Observation, ...]:
        return ()


def ready_at_once(model: Model, spec: MeasurementSpec) -> Ready:
    """Return a model as warm and known after no request at all."""
    maker = ProbeMaker(model, spec)
    pace = Pace(prompt_token_s=0.001, output_token_s=TOKEN_S)
    return Ready(
        maker=maker,
        findings=Findings(
            costs=maker.costs,
            decode_clock="first_token",
            decode_clock_evidence="by hand",
            template_tokens=2,
            pace=pace,
            settled=True,
        ),
        found_by=None,
        warmup=Warmup(decode_seconds=(), required=0, cap=0, steady=True),
        probing=Probing(
            prompt_tokens=maker.lengths.prompt_tokens,
            output_tokens=maker.lengths.output_tokens,
            after_tasks=False,
            chosen_by=None,
        ),
    )


def quiet(at_s: float) -> Sample:
    """Return a sample of a machine on which nothing but the fake runs."""
    return Sample(
        at_s=at_s, busy_s=0.0, own_s=0.0, server_s=0.0, own_rss=0, server_rss=0, used_rss=0
    )


@dataclass
class FakeProvider:
    """Serves a `FakeModel`; keeps every model that it served."""

    fault: Fault = lambda _: None
    load_error: Exception | None = None
    last_words: bytes = b""
    slow: int = 1
    tools: bool = False
    changes: dict[str, Any] = field(default_factory=dict)
    address: ServerAddress = ADDRESS
    models: list[FakeModel] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=lambda: [quiet(0.0), quiet(1.0), quiet(2.0)])

    @contextmanager
    def serve(self, spec: MeasurementSpec, source: Source, log: Path) -> Iterator[FakeModel]:
        log.write_bytes(self.last_words)
        if self.load_error:
            raise self.load_error
        what = served(**self.changes)
        self.models.append(FakeModel(self.fault, what, self.slow, self.tools, address=self.address))
        yield self.models[-1]

    @contextmanager
    def sampling(
        self, path: Path, server_pid: int | None, origin_s: float, gpus: object = None
    ) -> Iterator[None]:
        """Stand in for the sampler: leave `samples` behind."""
        lines = [COLUMNS, *map(to_cells, self.samples)]
        path.write_text("".join(",".join(line) + "\n" for line in lines), encoding="utf-8")
        yield

    @property
    def questions(self) -> list[str]:
        return [prompt for model in self.models for prompt in model.questions]


def failing(error: BaseException, when: Callable[[GenerationRequest], bool]) -> Fault:
    """Return a fault that raises an error for some requests."""

    def fault(request: GenerationRequest) -> None:
        if when(request):
            raise error

    return fault
