"""Whether two ways to serve one file agree: the same answers, and the same speed within the noise.

Both serve at once and are asked in turn, so that a machine that becomes faster or slower does so
for both. Where their answers differ, the first differing token tells why: two builds of one runtime
add in another order, and a model that hardly prefers one token to the next then takes the other
one. A difference with a wide margin is none of rounding, and is worth a look.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from overhead import Estimate

from orket_lib.artifacts.measurements.serving import ServerLocation
from orket_lib.artifacts.measurements.spec import (
    ArtifactIdentity,
    ControlSettings,
    MeasurementSpec,
    TaskSelection,
)
from orket_lib.measure.speed.calibration import calibrate
from orket_lib.measure.speed.probe_prompts import ProbeMaker
from orket_lib.measure.speed.token_metrics import Tokens
from orket_lib.providers.base import GenerationRequest, Model, Source
from orket_lib.providers.gguf.file import model_sha256
from orket_lib.providers.llama_cpp.model import LlamaModel
from orket_lib.providers.registry import provider_for
from orket_lib.providers.wire.chat_stream import chat_body
from orket_lib.providers.wire.http import HttpServer
from orket_lib.tasks.bank import Task
from orket_lib.telemetry.fingerprint import hardware_fingerprint
from orket_lib.vocabulary.errors import ProviderError
from orket_lib.vocabulary.nulls import Null
from orket_lib.vocabulary.rates import DecodeClock

_WARM_UP = 3
_CALIBRATIONS = 5
_FOR_A_MARGIN = 2
_CHAT = "/v1/chat/completions"


@dataclass(frozen=True)
class Way:
    """One way to serve the file.

    Attributes:
        spec: Names the provider.
        source: Of the file.
    """

    spec: MeasurementSpec
    source: Source


def way(
    provider: str,
    model: Path,
    server_binary: str,
    server_args: tuple[str, ...] = (),
    threads: int | None = None,
    n_ctx: int = 2048,
    max_tokens: int = 96,
) -> Way:
    """Return a way to serve a file; the program and its arguments are those of `llama_server`."""
    ours = provider == "llama_server"
    spec = MeasurementSpec(
        model_id=model.stem,
        quant_tag="",
        provider=provider,
        artifact=ArtifactIdentity(sha256=model_sha256(model)),
        server_args=server_args if ours else (),
        n_ctx=n_ctx,
        temperature=0,
        max_output_tokens=max_tokens,
        task_timeout_sec=120,
        controls=ControlSettings(seed=7, threads=threads),
        tasks=TaskSelection(bank_id="", ids=(), sha256=""),
        machine=hardware_fingerprint(),
    )
    place = ServerLocation(server_binary=server_binary) if ours else ServerLocation()
    return Way(spec, Source(model, place))


@dataclass(frozen=True)
class TokenChoice:
    """A token that a model chose, and the likeliest tokens at its position.

    Attributes:
        token: The chosen token.
        likeliest: Tokens with their log probabilities (nats), the likeliest first.
    """

    token: str
    likeliest: tuple[tuple[str, float], ...]

    @property
    def margin(self) -> float | None:
        """By how many nats the likeliest token leads; None where only one was reported."""
        if len(self.likeliest) < _FOR_A_MARGIN:
            return None
        return self.likeliest[0][1] - self.likeliest[1][1]


@dataclass(frozen=True)
class Difference:
    """A task that was answered in two ways.

    Attributes:
        test_id: Of the task.
        position: Of the first token that differs; None when they agreed when asked again.
        choices: What each of them chose there, and by how much; None where a server doesn't tell.
    """

    test_id: str
    position: int | None
    choices: tuple[TokenChoice, TokenChoice] | None


@dataclass(frozen=True)
class Speed:
    """Decode rates of one way, tokens/s: the median, and the tenth and ninetieth of a hundred."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, rates: Sequence[float]) -> Speed:
        """Return the speed that some rates show."""
        tenths = statistics.quantiles(rates, n=10)
        return cls(statistics.median(rates), tenths[0], tenths[-1])

    @property
    def noise(self) -> float:
        """Half the width between low and high, as a share of the median."""
        return (self.high - self.low) / 2 / self.median


@dataclass(frozen=True)
class Agreement:
    """How far two ways to serve one file agree.

    Attributes:
        tasks: That both were asked.
        differences: Those that they answered differently.
        speeds: Of the one and the other.
        ratio: The other's decode rate against the one's, less 1.
    """

    tasks: int
    differences: tuple[Difference, ...]
    speeds: tuple[Speed, Speed]
    ratio: Estimate

    @property
    def identical(self) -> float:
        """The share of tasks with the same answer."""
        return 1 - len(self.differences) / self.tasks

    @property
    def within_noise(self) -> bool:
        """Whether no difference in speed shows that is real and larger than the noise of both."""
        real = self.ratio.low > 0 or self.ratio.high < 0
        return not real or abs(self.ratio.median) <= max(speed.noise for speed in self.speeds)


def compare(one: Way, other: Way, tasks: Sequence[Task], probes: int, folder: Path) -> Agreement:
    """Serve a file in two ways and compare them.

    Args:
        one: The first way.
        other: The second.
        tasks: To be asked, each once.
        probes: Speed measurements of each.
        folder: For the servers' logs.

    Raises:
        ProviderError: One of them does not serve, or tells no times.
    """
    with ExitStack() as stack:
        models = [
            stack.enter_context(
                provider_for(way.spec.provider).serve(way.spec, way.source, folder / f"{index}.log")
            )
            for index, way in enumerate((one, other))
        ]
        first, second = models
        found = [_difference(first, second, _question(one, task), task) for task in tasks]
        rates = _rates(models, [ProbeMaker(model, one.spec) for model in models], probes)
    ratios = [after / before - 1 for before, after in zip(*rates, strict=True)]
    return Agreement(
        tasks=len(tasks),
        differences=tuple(item for item in found if item is not None),
        speeds=(Speed.of(rates[0]), Speed.of(rates[1])),
        ratio=Estimate.of(ratios),
    )


def _question(way: Way, task: Task) -> GenerationRequest:
    spec = way.spec
    return GenerationRequest(
        prompt=task.prompt,
        max_tokens=spec.max_output_tokens,
        temperature=spec.temperature,
        seed=spec.controls.seed,
        timeout_s=spec.task_timeout_sec,
    )


def _difference(
    first: Model, second: Model, request: GenerationRequest, task: Task
) -> Difference | None:
    if first.generate(request).text == second.generate(request).text:
        return None
    if not isinstance(first, LlamaModel) or not isinstance(second, LlamaModel):
        return Difference(task.test_id, None, None)
    pairs = zip(token_choices(first, request), token_choices(second, request), strict=False)
    for position, (mine, yours) in enumerate(pairs):
        if mine.token != yours.token:
            return Difference(task.test_id, position, (mine, yours))
    return Difference(task.test_id, None, None)


def token_choices(model: LlamaModel, request: GenerationRequest) -> tuple[TokenChoice, ...]:
    """Return the tokens that a model chooses for an answer."""
    body = {**chat_body(request), "stream": False, "logprobs": True, "cache_prompt": False}
    body["top_logprobs"] = _FOR_A_MARGIN
    del body["stream_options"]
    with closing(HttpServer(model.address.base_url, model.address.api_key)) as server:
        answer = server.call("POST", _CHAT, body, request.timeout_s)
    try:
        (choice,) = answer["choices"]
        return tuple(map(_choice, choice["logprobs"]["content"]))
    except (KeyError, TypeError, ValueError) as error:
        raise ProviderError(f"POST {_CHAT}: the answer has no logprobs: {error!r}") from None


def _choice(step: dict[str, Any]) -> TokenChoice:
    likeliest = tuple((str(top["token"]), float(top["logprob"])) for top in step["top_logprobs"])
    return TokenChoice(str(step["token"]), likeliest)


def _rates(
    models: Sequence[Model], makers: Sequence[ProbeMaker], probes: int
) -> tuple[list[float], list[float]]:
    """Return decode rates of both models, measured in turn, in tokens/s."""
    clocks = []
    for model, maker in zip(models, makers, strict=True):
        for _ in range(_WARM_UP):
            model.generate(maker.request())
        clocks.append(decode_clock(model, maker))
    rates: tuple[list[float], list[float]] = ([], [])
    for index in range(probes):
        for which in (0, 1) if index % 2 else (1, 0):
            rates[which].append(decode_rate(models[which], makers[which], clocks[which]))
    return rates


def decode_clock(model: Model, maker: ProbeMaker) -> DecodeClock | None:
    """Return when a server's generation clock starts; None if it tells no times.

    A disturbed calibration is repeated; a sweep's is, too, by the next session.
    """
    findings = calibrate(model, maker)
    for _ in range(_CALIBRATIONS - 1):
        if findings.decode_clock is None:
            findings = calibrate(model, maker)
    return findings.decode_clock


def decode_rate(model: Model, maker: ProbeMaker, clock: DecodeClock | None) -> float:
    """Return the rate of one probe in tokens/s.

    Raises:
        ProviderError: The server tells no times.
    """
    rate = Tokens.of(model.generate(maker.request()), clock).decode_tps
    if isinstance(rate, Null):
        raise ProviderError(f"no decode rate: {rate.reason}")
    return rate
