"""Facts read from a GGUF file itself: its name is only a label (trap T1)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orket_lib.artifacts.io import sha256_of_file
from orket_lib.providers.gguf.header import Header, read_header
from orket_lib.vocabulary.errors import LoadError
from orket_lib.vocabulary.failures import Cause
from orket_lib.vocabulary.quants import normalize_tag

_SHARD = re.compile(r"(?P<stem>.*)-\d{5}-of-(?P<count>\d{5})\.gguf")


@dataclass(frozen=True)
class GgufFacts:
    """The facts in a GGUF file; of a model in several files, the sum of them.

    Attributes:
        quant_tag: Tag of `general.file_type`, or None when the file has none.
        bits_per_weight: Bytes of all tensors x 8 / number of weights.
        parameters: Number of weights.
        bytes: Size of the file.
        metadata: By key; long arrays are only their length.
    """

    quant_tag: str | None
    bits_per_weight: float
    parameters: int
    bytes: int
    metadata: Mapping[str, Any]


def read_gguf(path: Path) -> GgufFacts:
    """Return a GGUF file's facts.

    Raises:
        LoadError: The file is not a GGUF file, is damaged or truncated, or lacks other shards.
    """
    parts = shards(path)
    if path != parts[0]:
        raise LoadError(
            f"{path.as_posix()}: name the first file of a split model: {parts[0].name}",
            Cause.NO_FILE,
        )
    first = _whole_header(path)
    headers = [first, *(_whole_header(part) for part in parts[1:])]
    tensors = [tensor for header in headers for tensor in header.tensors]
    weights = sum(tensor.elements for tensor in tensors)
    if not weights:
        raise LoadError(f"{path.as_posix()}: has no tensors", Cause.UNREADABLE)
    file_type = first.metadata.get("general.file_type")
    return GgufFacts(
        quant_tag=tag_of_file_type(file_type) if isinstance(file_type, int) else None,
        bits_per_weight=sum(tensor.bytes for tensor in tensors) * 8 / weights,
        parameters=weights,
        bytes=sum(part.stat().st_size for part in parts),
        metadata=first.metadata,
    )


def shards(path: Path) -> list[Path]:
    """Return all files of a model: those of `x-00001-of-00003.gguf`, or the one file."""
    named = _SHARD.fullmatch(path.name)
    if named is None:
        return [path]
    count = int(named["count"])
    return [
        path.with_name(f"{named['stem']}-{number:05d}-of-{count:05d}.gguf")
        for number in range(1, count + 1)
    ]


def model_sha256(path: Path, of_file: Callable[[Path], str] = sha256_of_file) -> str:
    """Return the digest of a model: a file's SHA-256, or one over those of its shards.

    Args:
        path: Of the file, or of the first shard; missing shards are reported by `read_gguf`.
        of_file: Returns the hex SHA-256 of one file.
    """
    parts = [part for part in shards(path) if part.is_file()]
    if len(parts) <= 1:
        return of_file(path)
    return hashlib.sha256("".join(of_file(part) for part in parts).encode()).hexdigest()


def _whole_header(path: Path) -> Header:
    try:
        header, size = read_header(path), path.stat().st_size
        if size < header.end:
            raise ValueError(f"it is truncated: {size} of {header.end} bytes")
    except (OSError, ValueError) as error:
        missing = isinstance(error, OSError)
        reason = error.strerror if isinstance(error, OSError) else error
        raise LoadError(
            f"{path.as_posix()}: not a readable GGUF file: {reason}",
            Cause.NO_FILE if missing else Cause.UNREADABLE,
        ) from None
    return header


def tag_of_file_type(file_type: int) -> str | None:
    """Return the tag of a `general.file_type`, or None for an unknown number."""
    import gguf

    try:
        name = gguf.LlamaFileType(file_type).name
    except ValueError:
        return None
    return normalize_tag(name.removeprefix("MOSTLY_").removeprefix("ALL_"))
