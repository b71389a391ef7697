"""How a model file was made: what tells a file of ours from one that somebody put in its place."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from orket_lib.artifacts.base import Artifact, InputFile


class Quantized(Artifact):
    """The `.json` beside a file in `storage/quantized/`."""

    schema_version: Literal["orket.quantized.v1"] = "orket.quantized.v1"
    sha256: str = Field(description="of the file that was made")
    bytes: int
    quant_tag: str
    bits_per_weight: float = Field(description="counted in the file that was made")
    base: InputFile
    base_quant_tag: str | None = Field(description="null when its header doesn't say")
    imatrix: InputFile | None
    program: str = Field(description="path of what made it")
    program_says: str | None = Field(description="its line on its own build; null without one")
    seconds: float
