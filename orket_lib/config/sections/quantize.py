"""Quantize: making missing model files during a sweep, with llama-quantize."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, field_validator

from orket_lib.config.sections.fields import Section, refuse_placeholders

PerModel = str | dict[str, str]

_PLACEHOLDERS = ("model", "slug")


class Quantize(Section):
    """What missing model files are made from."""

    quantize_base: Annotated[
        PerModel | None,
        Field(
            description="file that missing quants are made from, with {model} and {slug}; "
            "or {model: path}"
        ),
    ] = None
    quantize_imatrix: Annotated[
        PerModel | None,
        Field(description="importance matrix to use, with {model} and {slug}; or {model: path}"),
    ] = None
    quantize_binary: Annotated[
        str, Field(min_length=1, description="path of llama.cpp's llama-quantize")
    ] = "llama-quantize"
    quantize_allow_requantize: Annotated[
        bool,
        Field(description="accept a base that is already quantized, at a second loss of quality"),
    ] = False

    @field_validator("quantize_base", "quantize_imatrix")
    @classmethod
    def _files_name_the_model(cls, files: PerModel | None) -> PerModel | None:
        named = [files] if isinstance(files, str) else (files or {}).values()
        refuse_placeholders(named, _PLACEHOLDERS)
        return files
