"""The probabilities of the next token at given places of given texts (teacher forcing).

A measurement of its own, and never one of speed. Two of them, of a baseline and of a quant, are
compared by `orket_lib.analysis.fidelity.kld`.
"""

from __future__ import annotations

import base64
import struct
from collections.abc import Sequence
from typing import Literal, Self

from pydantic import Field, model_validator

from orket_lib.artifacts.base import Artifact, Record, Time, volatile
from orket_lib.artifacts.measurements.request import ServableCell
from orket_lib.artifacts.measurements.spec import MeasurementSpec, later
from orket_lib.artifacts.views.run_report import (
    ControlReadback,
    LoadTimes,
    Observation,
    ServedModel,
)
from orket_lib.vocabulary.statuses import RunStatus

# Version of the way in which texts are cut and asked. Raise it when old and new can't be compared.
CONTRACT = 1
# An id, or the text of a token from a server that doesn't tell ids.
Token = int | str
TextSource = Literal["answers", "text"]


class TokenSample(Record):
    """Which places are asked, and for how many probabilities."""

    contract: int = CONTRACT
    answers: int = Field(40, description="answers of the baseline, at most")
    answer_tokens: int = Field(32, description="first tokens of each, at most")
    windows: int = Field(20, description="windows of the text, at most")
    window_tokens: int = Field(128, description="of which those of the second half are asked")
    listed: int = Field(80, description="probabilities at each place, at most")
    whole_vocabulary: int = Field(1024, description="all of them for one of at most this size")

    @property
    def positions(self) -> int:
        """The places of one quant, at most."""
        of_text = self.windows * (self.window_tokens - self.window_tokens // 2 - 1)
        return self.answers * self.answer_tokens + of_text


class NextTokenSettings(Record):
    """`policy/next_tokens.json`."""

    text: str = Field(description="path")
    text_sha256: str
    include_invalid: bool = Field(description="of the choice of the baseline")
    sample: TokenSample = TokenSample()


class NextTokenSpec(MeasurementSpec):
    """What a measurement depends on; the tasks of the bank are not part of it."""

    kind: Literal["next_tokens"] = "next_tokens"
    sample: TokenSample
    text_sha256: str
    answers_sha256: str = Field(description="of the questions and the baseline's answers")
    repeat: int = later(0, "1 for the second measurement of the baseline, its noise floor")

    @classmethod
    def of(
        cls, cell: ServableCell, settings: NextTokenSettings, answers_sha256: str, repeat: int = 0
    ) -> Self:
        """Return the spec of one cell."""
        return cls(
            **cell.spec.model_dump(),
            sample=settings.sample,
            text_sha256=settings.text_sha256,
            answers_sha256=answers_sha256,
            repeat=repeat,
        )


class TokenLoad(Record):
    """One load of the model."""

    machine: str = Field(description="fingerprint of the machine that served it")
    started_at: Time = volatile("UTC")
    served: ServedModel
    controls: tuple[ControlReadback, ...]
    load: LoadTimes


class TokenBlock(Record):
    """The places of one answer, or of one window of the text."""

    source: TextSource
    name: str = Field(description="of the task, or number of the window")
    sent_sha256: str = Field(description="of the tokens as sent, and where the asked ones begin")
    tokens: tuple[tuple[Token, ...], ...] | None = Field(
        description="listed tokens at each place, the most probable first; null: the whole "
        "vocabulary at each place, by id"
    )
    logprobs: str = Field(
        description="natural logarithm of the probability of each token, place after place: "
        "little-endian float32 in base64",
        examples=["AACAvw=="],
    )
    positions: int

    @classmethod
    def of(cls, logprobs: Sequence[Sequence[float]], **fields: object) -> Self:
        """Return a block with the logarithms at each place."""
        flat = [value for place in logprobs for value in place]
        text = base64.b64encode(struct.pack(f"<{len(flat)}f", *flat)).decode("ascii")
        return cls.model_validate({**fields, "logprobs": text, "positions": len(logprobs)})

    @property
    def values(self) -> Sequence[float]:
        """The logarithms of all places, one after another."""
        packed = base64.b64decode(self.logprobs, validate=True)
        count, rest = divmod(len(packed), 4)
        if rest:
            raise ValueError(f"logprobs: {len(packed)} bytes are no float32 values")
        return struct.unpack(f"<{count}f", packed)

    @model_validator(mode="after")
    def _values_fit(self) -> Self:
        count = len(self.values)
        listed = None if self.tokens is None else [len(place) for place in self.tokens]
        if listed is None:
            fits = self.positions > 0 and count % self.positions == 0
        else:
            fits = len(listed) == self.positions and count == sum(listed)
        if not fits:
            raise ValueError(f"{count} logarithms don't fit {self.positions} places")
        return self


class NextTokens(Artifact):
    """`next_tokens.json`."""

    schema_version: Literal["orket.next_tokens.v1"] = "orket.next_tokens.v1"
    status: RunStatus
    status_reason: str | None = Field(description="what went wrong; null when measured")
    model_id: str
    quant_tag: str
    measured_at: Time = volatile("UTC; names its folder")
    finished_at: Time = volatile("UTC")
    hardware_fingerprint: str = Field(description="of the machine that measured")
    spec: NextTokenSpec
    spec_digest: str
    loads: tuple[TokenLoad, ...] = Field(description="several if it was interrupted")
    blocks: tuple[TokenBlock, ...]
    observations: tuple[Observation, ...] = Field(description="of the measurement as a whole")
