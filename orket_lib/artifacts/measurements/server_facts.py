"""What a session finds out about a server, cached for later sessions with the same model and build.

`storage/server_facts/<digest>.json` is named by the digest of its key: what was served and how. It
holds no measurements, so the folder may be deleted at any time.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from orket_lib.artifacts.base import Record, Time, volatile
from orket_lib.artifacts.measurements.spec import Addressed, Thinking, later
from orket_lib.vocabulary.rates import DecodeClock

# Version of the meaning of these facts. Raise it to have them found out again.
_CONTRACT = 1


class Finder(Record):
    """The session that found something out."""

    cell: str = Field(description="model and quant that it served")
    started_at: Time = volatile("UTC, of the session")

    def __str__(self) -> str:
        return f"the session of {self.cell} at {self.started_at}"


class ProbeLengths(Record):
    """Approximate number of tokens of a probe."""

    prompt_tokens: int
    output_tokens: int

    def __str__(self) -> str:
        return f"{self.prompt_tokens} prompt and {self.output_tokens} output tokens"


class Pace(Record):
    """Speed of a server in requests of a few tokens: an estimate for planning."""

    prompt_token_s: float = volatile("time of one prompt token")
    output_token_s: float = volatile("time of one output token")

    def seconds(self, lengths: ProbeLengths) -> float:
        """Return the estimated duration of a probe."""
        return (
            lengths.prompt_tokens * self.prompt_token_s
            + (lengths.output_tokens - 1) * self.output_token_s
        )


class PromptCosts(Record):
    """Number of tokens in the text of probes."""

    fixed: float = Field(description="of the text that every prompt contains")
    per_sentence: float
    counted: bool = Field(description="by the server; otherwise each word counts as a token")


class Findings(Record):
    """What must be known about a server to interpret its numbers."""

    costs: PromptCosts
    decode_clock: DecodeClock | None
    decode_clock_evidence: str
    template_tokens: int | None
    pace: Pace
    settled: bool = Field(
        description="another session would find the same; other findings are not cached (T35)"
    )


class ServerKey(Addressed):
    """One model file, served by one build with one set of settings."""

    kind: Literal["server"] = "server"
    contract: int = _CONTRACT
    model: str = Field(description="SHA-256 of the file, or digest of the tag")
    build: str
    provider: str
    server_args: tuple[str, ...]
    gpu_devices: tuple[str, ...] | None
    n_ctx: int | None
    threads: int | None
    thinking: Thinking | None = later(None, "it changes the chat template")
    load: dict[str, str | int] = later({}, "settings of the load that the config makes")
    machine: str


class ServerFacts(Record):
    """Findings about one server."""

    key: ServerKey
    found_by: Finder
    findings: Findings


class ModelKey(Addressed):
    """One model in any quant, on one machine."""

    kind: Literal["model"] = "model"
    contract: int = _CONTRACT
    model_id: str
    provider: str
    gpu_devices: tuple[str, ...] | None
    threads: int | None
    machine: str


class ModelProbes(Record):
    """Probe lengths of all quants of a model; rates over different lengths are not comparable."""

    key: ModelKey
    found_by: Finder
    lengths: ProbeLengths
