"""Facts read from a GGUF file itself: its name is only a label (trap T1)."""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orket_lib.artifacts.io import sha256_of_file
from orket_lib.providers.gguf.header import Header, Tensor, read_header
from orket_lib.providers.gguf.kinds import AGAIN, Kind, Unusable, kind_of_model, kind_of_name
from orket_lib.vocabulary.errors import UnusableFile
from orket_lib.vocabulary.failures import Cause
from orket_lib.vocabulary.nulls import Null
from orket_lib.vocabulary.quants import normalize_tag

UNKNOWN_TYPE = Null("UNKNOWN_QUANT_TYPE")

_PADDING = 4096  # after the last tensor; more than any alignment
_LOOKS, _LOOK = 32, 1024  # places of a file that are looked at, and bytes of each
# Of these. Padded vocabularies hold some zeros; blocks of quants hold none.
_MOST_ZEROS = 1 / 8

_EMBEDDING = "token_embd.weight"
_BLOCK = re.compile(r"blk\.(\d+)\.")
_SHARD = re.compile(r"(?P<stem>.*)-\d{5}-of-(?P<count>\d{5})\.gguf")


@dataclass(frozen=True)
class GgufFacts:
    """The facts in a GGUF file; of a model in several files, the sum of them.

    Attributes:
        quant_tag: Tag of `general.file_type`, or None when the file has none.
        bits_per_weight: Bytes of all tensors x 8 / number of weights; None where a tensor has a
            type that is not known here.
        parameters: Number of weights.
        bytes: Size of the file.
        metadata: By key; long arrays are only their length.
        kind: What it is instead of a model that chats; None for such a model.
        unknown_types: Numbers of the types of tensors that are not known here.
        layers: Size of each layer's tensors in bytes, the output layer last; empty if unknown.
    """

    quant_tag: str | None
    bits_per_weight: float | None
    parameters: int
    bytes: int
    metadata: Mapping[str, Any]
    kind: Kind | None = None
    unknown_types: tuple[int, ...] = ()
    layers: tuple[int, ...] = ()

    @property
    def known_bits(self) -> float | Null:
        """Bits per weight, or why they are not known."""
        return UNKNOWN_TYPE if self.bits_per_weight is None else self.bits_per_weight


def read_gguf(path: Path) -> GgufFacts:
    """Return a GGUF file's facts.

    Raises:
        UnusableFile: The file is not a GGUF file, is damaged or truncated, or lacks other shards.
    """
    parts = shards(path)
    if path != parts[0]:
        raise UnusableFile(
            path.as_posix(),
            f"it is not the first file of a split model: {parts[0].name} is",
            f"name {parts[0].name}",
            Cause.NO_FILE,
        )
    first = _whole_header(path)
    headers = [first, *(_header_of_shard(part, path) for part in parts[1:])]
    tensors = [tensor for header in headers for tensor in header.tensors]
    weights = sum(tensor.elements for tensor in tensors)
    sizes = [tensor.bytes for tensor in tensors if tensor.bytes is not None]
    all_known = len(sizes) == len(tensors)
    file_type = first.metadata.get("general.file_type")
    return GgufFacts(
        quant_tag=tag_of_file_type(file_type) if isinstance(file_type, int) else None,
        bits_per_weight=sum(sizes) * 8 / weights if weights and all_known else None,
        parameters=weights,
        bytes=sum(part.stat().st_size for part in parts),
        metadata=first.metadata,
        kind=kind_of_model(first.metadata, weights),
        unknown_types=tuple(sorted({it.kind for it in tensors if it.bytes is None})),
        layers=_layers(tensors) if all_known else (),
    )


def _layers(tensors: Sequence[Tensor]) -> tuple[int, ...]:
    """Return the bytes of each block, and then of the output layer.

    A model without an output matrix uses the embedding of its tokens, of which llama.cpp then has
    a second copy in the output layer.
    """
    blocks: dict[int, int] = defaultdict(int)
    output = {"output.weight": 0, _EMBEDDING: 0}
    for tensor in tensors:
        if block := _BLOCK.match(tensor.name):
            blocks[int(block[1])] += tensor.bytes or 0
        elif tensor.name in output:
            output[tensor.name] = tensor.bytes or 0
    last = output["output.weight"] or output[_EMBEDDING]
    return (*(blocks[index] for index in sorted(blocks)), last) if blocks else ()


def bits_of_weight(bits: float | None) -> str:
    """Return bits per weight in words."""
    return "bits per weight unknown" if bits is None else f"{bits:.2f} bits per weight"


def read_servable(path: Path) -> GgufFacts:
    """Return the facts of a file that is to be served.

    Raises:
        UnusableFile: It is no complete model, or known to be of a kind that doesn't chat.
    """
    facts = read_gguf(path)
    if facts.kind is not None:
        raise UnusableFile(path.as_posix(), f"it is {facts.kind.what}", facts.kind.remedy)
    return facts


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
    """Return a file's header.

    Raises:
        UnusableFile: It is missing, no GGUF file, or not complete.
    """
    try:
        header, size = read_header(path), path.stat().st_size
        if size < header.end:
            part = kind_of_name(path)
            raise Unusable(
                f"it is truncated: {size} of {header.end} bytes", part.remedy if part else AGAIN
            )
        _refuse_misplaced_part(path, header, size)
        _refuse_unfilled(path, header, size)
    except OSError as error:
        remedy = "name a file" if path.is_dir() else "check its path and permissions"
        raise _unusable(path, str(error.strerror), remedy, Cause.NO_FILE) from None
    except Unusable as error:
        raise _unusable(path, error.what, error.remedy, Cause.UNREADABLE) from None
    return header


def _header_of_shard(part: Path, first: Path) -> Header:
    """Return the header of a further shard; what is wrong with it is said of the model."""
    try:
        return _whole_header(part)
    except UnusableFile as error:
        what, cause = f"its shard {part.name}: {error.what}", error.evidence.cause
        raise UnusableFile(first.as_posix(), what, error.remedy, cause) from None


def _unusable(path: Path, what: str, remedy: str, cause: Cause) -> UnusableFile:
    return UnusableFile(path.as_posix(), f"not a readable GGUF file: {what}", remedy, cause)


def _refuse_misplaced_part(path: Path, header: Header, size: int) -> None:
    """Refuse a shard under a name from which the others can't be found.

    Raises:
        Unusable: With the name that it must have.
    """
    count, number = (header.metadata.get(f"split.{key}", 0) for key in ("count", "no"))
    if not isinstance(count, int) or not isinstance(number, int) or count < 2:
        return
    if _SHARD.fullmatch(path.name):
        return
    real = path.resolve().name
    if size > header.end + _PADDING:  # something follows
        raise Unusable(
            f"it is the {count} shards of a model, joined byte by byte",
            "get the shards again and name the first, or join them with llama-gguf-split --merge",
        )
    named = real if _SHARD.fullmatch(real) else f"NAME-{number + 1:05d}-of-{count:05d}.gguf"
    first = f"NAME-00001-of-{count:05d}.gguf"
    raise Unusable(
        f"it is shard {number + 1} of {count} of a model, under another name than {named}",
        f"keep the shards' own names, and name the first: {named if number == 0 else first}",
    )


def _refuse_unfilled(path: Path, header: Header, size: int) -> None:
    """Refuse a file whose weights are zeros in many places: a download that was not filled.

    Raises:
        Unusable: With the share of zeros that was found.
    """
    start = min((tensor.offset for tensor in header.tensors), default=size)
    room = size - start - _LOOK
    if room < _LOOK * _LOOKS:
        return
    with path.open("rb") as stream:
        zeros = 0
        for index in range(_LOOKS):
            stream.seek(start + room * index // (_LOOKS - 1))
            zeros += not any(stream.read(_LOOK))
    if zeros > _LOOKS * _MOST_ZEROS:
        raise Unusable(
            f"its weights are zeros in {zeros} of {_LOOKS} places: a download that was reserved "
            "and not filled",
            AGAIN,
        )


def tag_of_file_type(file_type: int) -> str | None:
    """Return the tag of a `general.file_type`, or None for an unknown number."""
    import gguf

    try:
        name = gguf.LlamaFileType(file_type).name
    except ValueError:
        return None
    return normalize_tag(name.removeprefix("MOSTLY_").removeprefix("ALL_"))
