"""Facts read from a GGUF file itself: what its name says is only a label (trap T1)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from orket_lib.vocabulary.errors import LoadError
from orket_lib.vocabulary.quants import normalize_tag


@dataclass(frozen=True)
class GgufFacts:
    """What a GGUF file says of itself.

    Attributes:
        quant_tag: Tag of `general.file_type`, or None when the file doesn't say.
        bits_per_weight: Bytes of all tensors x 8 / number of weights.
        parameters: Number of weights.
    """

    quant_tag: str | None
    bits_per_weight: float
    parameters: int


def read_gguf(path: Path) -> GgufFacts:
    """Return a GGUF file's facts.

    Raises:
        LoadError: The file is not a GGUF file, or is damaged.
    """
    import gguf

    try:
        reader = gguf.GGUFReader(path)
        weights = sum(int(tensor.n_elements) for tensor in reader.tensors)
        size = sum(int(tensor.n_bytes) for tensor in reader.tensors)
        field = reader.get_field("general.file_type")
        tag = None if field is None else _tag(int(field.contents()))
    except (OSError, ValueError, IndexError, KeyError) as error:
        raise LoadError(f"{path.as_posix()}: not a readable GGUF file: {error}") from None
    if not weights:
        raise LoadError(f"{path.as_posix()}: holds no tensors")
    return GgufFacts(quant_tag=tag, bits_per_weight=size * 8 / weights, parameters=weights)


def _tag(file_type: int) -> str | None:
    import gguf

    try:
        name = gguf.LlamaFileType(file_type).name
    except ValueError:
        return None
    return normalize_tag(name.removeprefix("MOSTLY_").removeprefix("ALL_"))
