"""What a session finds out about a server, kept for later sessions of the same thing.

`storage/server_facts/<digest>.json`, named by the digest of its key: what was served and how. A
session that finds a file of its own key asks nothing of it again. Nothing of it is a measurement,
so the folder may be deleted at any time; it is found out again.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from orket_lib.artifacts.base import Record, volatile
from orket_lib.artifacts.measurements.spec import Addressed
from orket_lib.vocabulary.rates import DecodeClock

# What the code that finds these out means by them. Raise it, and they are found out again.
_CONTRACT = 1


class Finder(Record):
    """The session that found something out."""

    cell: str = Field(description="model and quant that it served")
    started_at: str = volatile("UTC, of the session")

    def __str__(self) -> str:
        return f"the session of {self.cell} at {self.started_at}"


class ProbeLengths(Record):
    """About how many tokens a probe has."""

    prompt_tokens: int
    output_tokens: int

    def __str__(self) -> str:
        return f"{self.prompt_tokens} prompt and {self.output_tokens} output tokens"


class Pace(Record):
    """How fast a server was in requests of a few tokens: to plan by, and no measurement."""

    prompt_token_s: float = volatile("time of one prompt token")
    output_token_s: float = volatile("time of one output token")

    def seconds(self, lengths: ProbeLengths) -> float:
        """Return about how long a probe takes."""
        return (
            lengths.prompt_tokens * self.prompt_token_s
            + (lengths.output_tokens - 1) * self.output_token_s
        )


class PromptCosts(Record):
    """How many tokens the text of probes has."""

    fixed: float = Field(description="of the part that every prompt has")
    per_sentence: float
    counted: bool = Field(description="by the server; else a word is taken for a token")


class Findings(Record):
    """What has to be known about a server before its numbers mean anything."""

    costs: PromptCosts
    decode_clock: DecodeClock | None
    decode_clock_evidence: str
    template_tokens: int | None
    pace: Pace
    settled: bool = Field(
        description="another session would find the same; only that is kept, never bad luck (T35)"
    )


class ServerKey(Addressed):
    """One model file on one build, served in one way."""

    kind: Literal["server"] = "server"
    contract: int = _CONTRACT
    model: str = Field(description="SHA-256 of the file, or digest of the tag")
    build: str
    provider: str
    server_args: tuple[str, ...]
    gpu_devices: tuple[str, ...] | None
    n_ctx: int | None
    threads: int | None
    machine: str


class ServerFacts(Record):
    """What was found out about one server."""

    key: ServerKey
    found_by: Finder
    findings: Findings


class ModelKey(Addressed):
    """One model, whatever its quant, on one machine."""

    kind: Literal["model"] = "model"
    contract: int = _CONTRACT
    model_id: str
    provider: str
    gpu_devices: tuple[str, ...] | None
    threads: int | None
    machine: str


class ModelProbes(Record):
    """How long the probes of all quants of a model are: rates over other lengths don't compare."""

    key: ModelKey
    found_by: Finder
    lengths: ProbeLengths
