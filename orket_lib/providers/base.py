"""The interface of a provider: a model that is served, with its identity read back.

A provider starts or finds a server for one cell and hands out a `Model`, which answers requests and
hides the wire format. Everything that a `Model` reports about itself is read back from the running
server and the file, not repeated from the request (traps T1, T2). What a server doesn't report is
None, and becomes a null with a reason; a provider never fills it in.
"""

from __future__ import annotations

from collections.abc import Collection
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeVar

from orket_lib.artifacts.measurements.serving import ServerLocation
from orket_lib.artifacts.measurements.spec import MeasurementSpec
from orket_lib.artifacts.measurements.tool_calls import ToolCall
from orket_lib.artifacts.views.run_report import (
    ControlReadback,
    LoadTimes,
    Observation,
    ServedModel,
)
from orket_lib.providers.catalog import Catalog
from orket_lib.providers.teacher_forcing import Scorer
from orket_lib.reading.reasoning import reasoning_of
from orket_lib.vocabulary.nulls import Null

R = TypeVar("R")
NOT_REPORTED = Null("NOT_REPORTED")


@dataclass(frozen=True)
class Source:
    """What serves a cell.

    Attributes:
        artifact: The local file; None for a tag, which the spec holds.
        place: The server.
    """

    artifact: Path | None
    place: ServerLocation = field(default_factory=ServerLocation)


@dataclass(frozen=True)
class ServerAddress:
    """Where a served model can be reached, for instance by a runner's command.

    Attributes:
        base_url: `http://HOST:PORT`, without `/v1`.
        api_key: None where the server needs none; `${ENV:NAME}` is the value of a variable.
    """

    base_url: str
    api_key: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class GenerationRequest:
    """One question to a model.

    Attributes:
        prompt: Text of the single user message.
        max_tokens: Limit of the answer, in tokens.
        temperature: 0 is greedy.
        seed: Of the sampler; None leaves it to the server.
        timeout_s: Of the whole request, in seconds.
        ignore_eos: Generate exactly `max_tokens` where the server can, for speed measurements.
        reuse_cache: The server may use its prompt cache; otherwise that is switched off where the
            API allows it.
        thinking: Whether the model reasons first, where the server can switch that; None leaves it
            to the server.
        thinking_budget: Tokens after which the server ends the reasoning; None sets no limit.
        tools: Functions that the model may call: name, description and parameters (JSON Schema).
    """

    prompt: str
    max_tokens: int
    temperature: float
    seed: int | None
    timeout_s: float
    ignore_eos: bool = False
    reuse_cache: bool = False
    thinking: bool | None = None
    thinking_budget: int | None = None
    tools: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True)
class TokenReport:
    """Counts and times as the server reports them, in one form for all wire formats.

    What the server doesn't report is None: never 0, never derived from something else (T5, T9).

    Attributes:
        prompt: Tokens of the whole prompt, cached ones included.
        cached: Of these, taken from the server's cache.
        uncached: Of these, actually processed; `prefill_s` is the time of exactly these (T3).
        output: Generated tokens.
        thinking: Of these, reasoning.
        prefill_s: Time of the prompt, in seconds.
        decode_s: Time of the generation, in seconds; when it starts is calibrated (T4).
        drafted: Tokens that a draft model proposed; several are then generated at once.
        note: Why a number is missing or is not of this request; empty when there is nothing to say.
    """

    prompt: int | None = None
    cached: int | None = None
    uncached: int | None = None
    output: int | None = None
    thinking: int | None = None
    prefill_s: float | None = None
    decode_s: float | None = None
    drafted: int | None = None
    note: str = ""


@dataclass(frozen=True)
class Generation:
    """An answer with its clock readings, all from the client's monotonic clock.

    Attributes:
        text: The content, without reasoning.
        reasoning: What the server sent as reasoning, if it separates it.
        finish_reason: `stop`, `length`, ... as the server reports it.
        connect_s: Time to open the connection, before the request.
        chunk_s: Arrival of each non-empty chunk of content, reasoning or a tool call, seconds after
            the request was written (T6: role-only and empty chunks don't count).
        chunk_bytes: Size of each of these chunks as UTF-8; empty when unknown.
        end_s: Arrival of the chunk that says why the answer ended; None without one.
        streamed: False when the server sent the answer as a whole, although asked to stream.
        tokens: The server's counts and times.
        usage: The server's token counts, untouched.
        timings: The server's times, untouched.
        truncated: The server reports that it cut the prompt.
        key_hidden: The server repeated our API key, which was replaced.
        tool_calls: Calls that the server reports apart from the text.
    """

    text: str
    reasoning: str
    finish_reason: str | None
    connect_s: float | None
    chunk_s: tuple[float, ...]
    tokens: TokenReport
    usage: dict[str, Any] | None = None
    timings: dict[str, Any] | None = None
    truncated: bool = False
    chunk_bytes: tuple[int, ...] = ()
    end_s: float | None = None
    streamed: bool = True
    key_hidden: bool = False
    tool_calls: tuple[ToolCall, ...] = ()

    @property
    def reasoned(self) -> bool:
        """Whether the answer began with reasoning, apart from the text or in it."""
        return bool(self.thoughts.strip())

    @property
    def thoughts(self) -> str:
        """The reasoning, sent apart from the text or at its beginning."""
        return self.reasoning if self.reasoning.strip() else reasoning_of(self.text)


# Recorded for a request that failed.
NO_GENERATION = Generation(
    text="", reasoning="", finish_reason=None, connect_s=None, chunk_s=(), tokens=TokenReport()
)


class Model(Protocol):
    """A model that is being served."""

    @property
    def address(self) -> ServerAddress:
        """Where it can be reached while it is served."""

    @property
    def pid(self) -> int | None:
        """The serving process; None when it is on another machine or can't be found."""

    @property
    def served(self) -> ServedModel:
        """What is served, read back."""

    @property
    def controls(self) -> tuple[ControlReadback, ...]:
        """What became of each control that the spec names, read back."""

    @property
    def load(self) -> LoadTimes:
        """How long loading took."""

    def generate(self, request: GenerationRequest) -> Generation:
        """Answer one request.

        Raises:
            RequestTimedOut: `timeout_s` ran out.
            RequestFailed: The server answered with an error or cut the stream.
            ServerCrashed: The server is gone.
        """

    def count_tokens(self, text: str) -> int | None:
        """Return the number of tokens of a text, without the chat template.

        None where the server has no such route.
        """

    def takes_tools(self) -> bool | None:
        """Return whether the chat template takes tools; None where the server doesn't say it."""

    def scorer(self, timeout_s: float) -> Scorer | None:
        """Return what asks for the probabilities of tokens; None where the server gives none.

        Args:
            timeout_s: Longest silence of the server during a request.
        """

    def disturbances(self) -> tuple[Observation, ...]:
        """Return what else happened on the server since the last call.

        That is a restart, another model, or requests of other clients. Called after each measured
        request, outside of its time. A server that was started for the cell has none.
        """


@dataclass(frozen=True)
class RunningModel:
    """A model that a server has loaded already.

    Attributes:
        provider: Which API the server has, as a config names it.
        address: Of the server.
        name: Of the model, as the server spells it.
        n_ctx: The context that it was loaded with, where the config gives one.
        threads: The threads that it was loaded with, where the config gives them.
        extras: Optional request fields that this server accepts, see `openai.client`.
    """

    provider: str
    address: ServerAddress
    name: str
    n_ctx: int | None = None
    threads: int | None = None
    extras: tuple[str, ...] = ()


class Provider(Protocol):
    """A way to serve models."""

    def serve(
        self, spec: MeasurementSpec, source: Source, log: Path
    ) -> AbstractContextManager[Model]:
        """Serve the spec's model until the context ends.

        Args:
            spec: What to serve, with context and controls.
            source: From where.
            log: Where the server's own messages go.

        Raises:
            LoadError: The model could not be loaded.
        """

    def catalog(
        self, base_url: str, api_key: str | None, closely: Collection[str] | None
    ) -> Catalog:
        """Return the models that a server offers; see `registry.read_catalog`."""

    def ask(self, model: RunningModel, request: GenerationRequest) -> Generation:
        """Send one request to a running model; see `registry.ask_running`."""


def reported(value: R | None) -> R | Null:
    """Return a value that a server reports, or the null for one that it doesn't."""
    return NOT_REPORTED if value is None else value
