"""The header of a GGUF file: metadata and tensor table, read without touching the weights.

The reader of the `gguf` package is not used because it creates an object for each token, and takes
twenty seconds for a vocabulary of 128,000 tokens; the check before a sweep reads many files. Names
and numbers of the format come from the package.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Callable
from dataclasses import dataclass, replace
from math import prod
from pathlib import Path
from typing import Any

from orket_lib.providers.gguf.kinds import (
    AGAIN,
    MAGIC,
    VERSIONS,
    Unusable,
    kind_of_file,
    kind_of_name,
    wrong_version,
)

_MOST_KEPT = 4096  # numbers of an array: per-layer values are kept, vocabularies are not
_MOST_DIMENSIONS = 8
_DEFAULT_ALIGNMENT = 32
# The least bytes of an entry of the metadata, a line of the tensor table, and a string. A count
# that the rest of the file can't hold is damage, and so is one beyond any model.
_ENTRY, _LINE, _EMPTY_STRING = 13, 24, 8
_MOST_ENTRIES, _MOST_STRINGS = 1_000_000, 1 << 26
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
        bytes: Their size; None for a type that is not known here.
        offset: Of the first one, from the start of the file.
        kind: Number of its type in the format.
        name: Such as `blk.0.attn_q.weight`.
    """

    elements: int
    bytes: int | None
    offset: int
    kind: int
    name: str


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
        """Where the last tensor ends, or at least begins: a shorter file is truncated."""
        ends = (tensor.offset + (tensor.bytes or 0) for tensor in self.tensors)
        return max(ends, default=0)


def read_header(path: Path) -> Header:
    """Return the header of a GGUF file.

    Raises:
        OSError: The file can't be read.
        Unusable: It is not a GGUF file, or is truncated or damaged; the message says which.
    """
    if kind := kind_of_file(path):
        raise Unusable(f"it is {kind.what}", kind.remedy)
    with (
        path.open("rb") as stream,
        mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data,
    ):
        try:
            return _Reader(data).header()
        except (struct.error, IndexError, OverflowError):
            part = kind_of_name(path)
            raise Unusable(
                f"it is {part.what}" if part else "its header is truncated or damaged",
                part.remedy if part else AGAIN,
            ) from None


class _Reader:
    """Reads forward from a position in the file."""

    def __init__(self, data: mmap.mmap) -> None:
        self._data = data
        self._at = len(MAGIC)

    def header(self) -> Header:
        version = self._scalar("<I")
        if version not in VERSIONS:
            raise wrong_version(version)
        tensors, entries = self._scalar("<Q"), self._scalar("<Q")
        self._require_room(tensors, _LINE, _MOST_ENTRIES)
        self._require_room(entries, _ENTRY, _MOST_ENTRIES)
        metadata = {}
        for _ in range(entries):
            key = self._string()
            metadata[key] = self._value(self._scalar("<I"))
        lines = [self._tensor_line() for _ in range(tensors)]
        alignment = metadata.get("general.alignment", _DEFAULT_ALIGNMENT)
        if not isinstance(alignment, int) or alignment < 1:
            raise Unusable(f"its alignment is {alignment!r}", AGAIN)
        start = -(-self._at // alignment) * alignment
        return Header(
            metadata,
            tuple(replace(line, offset=start + line.offset) for line in lines),
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

    def _require_room(self, count: int, least_bytes: int, most: int) -> None:
        """Raise IndexError for a count that the rest of the file can't hold."""
        if count > most or count * least_bytes > len(self._data) - self._at:
            raise IndexError

    def _skip_strings(self, count: int) -> None:
        """Skip strings; a vocabulary has hundreds of thousands, so this loop must be fast."""
        self._require_room(count, _EMPTY_STRING, _MOST_STRINGS)
        read: Callable[[mmap.mmap, int], tuple[int]] = struct.Struct("<Q").unpack_from
        data, at = self._data, self._at
        for _ in range(count):
            at += 8 + read(data, at)[0]
        if at > len(data):
            raise IndexError
        self._at = at

    def _tensor_line(self) -> Tensor:
        """Return the next tensor, with its offset from the start of the weights."""
        from gguf.constants import GGML_QUANT_SIZES, GGMLQuantizationType

        name = self._string()
        dimensions = self._scalar("<I")
        if dimensions > _MOST_DIMENSIONS:
            raise IndexError
        elements = prod(self._scalar("<Q") for _ in range(dimensions))
        kind = self._scalar("<I")
        try:
            block, size = GGML_QUANT_SIZES[GGMLQuantizationType(kind)]
            weighs = elements // block * size
        except (KeyError, ValueError):  # of a newer version, or of another program
            weighs = None
        return Tensor(elements, weighs, self._scalar("<Q"), kind, name)


def _form(kind: int) -> str:
    if kind not in _SCALARS:
        raise IndexError
    return _SCALARS[kind]
