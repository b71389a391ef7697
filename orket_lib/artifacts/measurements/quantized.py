"""How a model file was quantized, which tells our file from another one with its name."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from orket_lib.artifacts.base import Artifact, InputFile


class Quantized(Artifact):
    """The `.json` next to a file in `storage/quantized/`."""

    schema_version: Literal["orket.quantized.v1"] = "orket.quantized.v1"
    sha256: str = Field(description="of the file that was made")
    bytes: int
    quant_tag: str
    bits_per_weight: float | None = Field(
        description="counted over the tensors of the file that was made; null where the type of"
        " one is not known here"
    )
    base: InputFile
    base_quant_tag: str | None = Field(description="null when its header does not hold it")
    imatrix: InputFile | None
    program: str = Field(description="path of the quantize program")
    program_says: str | None = Field(description="the build that it reports; null without one")
    seconds: float
