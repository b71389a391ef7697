"""The header of a GGUF file: metadata and tensor table, read without touching the weights.

The reader of the `gguf` package is not used because it creates an object for each token, and takes
twenty seconds for a vocabulary of 128,000 tokens; the check before a sweep reads many files. Names
and numbers of the format come from the package.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

_MAGIC = b"GGUF"
_VERSIONS = (2, 3)
_MOST_KEPT = 4096  # numbers of an array: per-layer values are kept, vocabularies are not
_MOST_DIMENSIONS = 8
_DEFAULT_ALIGNMENT = 32
_STRING, _ARRAY = 8, 9
# `struct` codes of the scalar types, by their number in the format; 8 and 9 are not scalars.
_SCALARS = {kind: f"<{code}" for kind, code in enumerate("BbHhIif?__Qqd") if code != "_"}


@dataclass(frozen=True)
class Skipped:
    """An array that was skipped.

    Attributes:
        length: Of the array, in elements.
    """

    length: int


@dataclass(frozen=True)
class Tensor:
    """One entry of the tensor table.

    Attributes:
        elements: Number of weights.
        bytes: Their size.
        offset: Of the first one, from the start of the file.
    """

    elements: int
    bytes: int
    offset: int


@dataclass(frozen=True)
class Header:
    """The part of a GGUF file before its weights.

    Attributes:
        metadata: By key; long arrays, and arrays of strings, are `Skipped`.
        tensors: In the order of the file.
    """

    metadata: dict[str, Any]
    tensors: tuple[Tensor, ...]

    @property
    def end(self) -> int:
        """Where the last tensor ends: a shorter file is truncated."""
        return max((tensor.offset + tensor.bytes for tensor in self.tensors), default=0)


def read_header(path: Path) -> Header:
    """Return the header of a GGUF file.

    Raises:
        OSError: The file can't be read.
        ValueError: It is not a GGUF file, or is truncated or damaged; the message says which.
    """
    with path.open("rb") as stream:
        if stream.read(len(_MAGIC)) != _MAGIC:
            raise ValueError("it does not begin with GGUF")
        with mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
            try:
                return _Reader(data).header()
            except (struct.error, IndexError, OverflowError):
                raise ValueError("its header is truncated or damaged") from None


class _Reader:
    """Reads forward from a position in the file."""

    def __init__(self, data: mmap.mmap) -> None:
        self._data = data
        self._at = len(_MAGIC)

    def header(self) -> Header:
        version = self._scalar("<I")
        if version not in _VERSIONS:
            raise ValueError(f"version {version} of the format is not among {_VERSIONS}")
        tensors, entries = self._scalar("<Q"), self._scalar("<Q")
        metadata = {}
        for _ in range(entries):
            key = self._string()
            metadata[key] = self._value(self._scalar("<I"))
        lines = [self._tensor_line() for _ in range(tensors)]
        alignment = metadata.get("general.alignment", _DEFAULT_ALIGNMENT)
        if not isinstance(alignment, int) or alignment < 1:
            raise ValueError(f"its alignment is {alignment!r}")
        start = -(-self._at // alignment) * alignment
        return Header(
            metadata,
            tuple(Tensor(elements, size, start + offset) for elements, size, offset in lines),
        )

    def _scalar(self, form: str) -> Any:
        (value,) = struct.unpack_from(form, self._data, self._at)
        self._at += struct.calcsize(form)
        return value

    def _string(self) -> str:
        length = self._scalar("<Q")
        begin, self._at = self._at, self._at + length
        if self._at > len(self._data):
            raise IndexError
        return self._data[begin : self._at].decode("utf-8", "replace")

    def _value(self, kind: int) -> Any:
        if kind == _STRING:
            return self._string()
        if kind == _ARRAY:
            return self._array()
        return self._scalar(_form(kind))

    def _array(self) -> tuple[Any, ...] | Skipped:
        kind, length = self._scalar("<I"), self._scalar("<Q")
        if kind == _STRING:
            self._skip_strings(length)
            return Skipped(length)
        form = _form(kind)  # llama.cpp knows no array of arrays either
        begin, self._at = self._at, self._at + length * struct.calcsize(form)
        if self._at > len(self._data):
            raise IndexError
        if length > _MOST_KEPT:
            return Skipped(length)
        return struct.unpack_from(f"<{length}{form[1]}", self._data, begin)

    def _skip_strings(self, count: int) -> None:
        """Skip strings; a vocabulary has hundreds of thousands, so this loop must be fast."""
        read: Callable[[mmap.mmap, int], tuple[int]] = struct.Struct("<Q").unpack_from
        data, at = self._data, self._at
        for _ in range(count):
            at += 8 + read(data, at)[0]
        if at > len(data):
            raise IndexError
        self._at = at

    def _tensor_line(self) -> tuple[int, int, int]:
        """Return number of weights, bytes and offset of the next tensor."""
        from gguf.constants import GGML_QUANT_SIZES, GGMLQuantizationType

        self._string()
        dimensions = self._scalar("<I")
        if dimensions > _MOST_DIMENSIONS:
            raise IndexError
        elements = prod(self._scalar("<Q") for _ in range(dimensions))
        kind = self._scalar("<I")
        try:
            block, size = GGML_QUANT_SIZES[GGMLQuantizationType(kind)]
        except (KeyError, ValueError):
            raise ValueError(f"a tensor has the unknown type {kind}") from None
        return elements, elements // block * size, self._scalar("<Q")


def _form(kind: int) -> str:
    if kind not in _SCALARS:
        raise IndexError
    return _SCALARS[kind]
