"""What a file can turn out to be that was taken for a model, and what to do about each.

The one list of it, for config, preflight, doctor, and whatever loads a file. A file is judged by
its first bytes, its name, its size and its metadata, never by a name alone.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_BEGINNING = 512  # bytes of a file that are looked at
_SHOWN = 40  # characters of a text file in a message
MAGIC = b"GGUF"
VERSIONS = (2, 3)


@dataclass(frozen=True)
class Kind:
    """What a file is, if it is not a model that answers.

    Attributes:
        what: Completes "it is ...".
        remedy: What to do, or to type.
        is_model: Whether it is a model all the same, of another kind.
    """

    what: str
    remedy: str
    is_model: bool = False


class Unusable(ValueError):
    """A file is not a complete GGUF file.

    Args:
        what: A sentence about it.
        remedy: What to do, or to type.
    """

    def __init__(self, what: str, remedy: str) -> None:
        self.what, self.remedy = what, remedy
        super().__init__(what)


AGAIN = "download it again"
_GET_GGUF = "get a GGUF file of the model"
_CONVERT = f"{_GET_GGUF}, or make one with llama.cpp's convert_hf_to_gguf.py"
_UNPACK = "unpack it"

# By the first bytes. Each completes "it is ...".
_BEGINNINGS: tuple[tuple[bytes, str, str], ...] = (
    (rb"version https://git-lfs", "a Git LFS pointer, not the file itself", "type: git lfs pull"),
    (rb"(#\s*xet|\{\"?xet)", "a Xet pointer, not the file itself", "type: git xet pull"),
    (
        rb"(?is)(\xef\xbb\xbf)?\s*(<\?xml[^>]*>\s*)?(<!--.*?-->\s*)*"
        rb"<(!doctype\s+html|html|head|body)",
        "a web page, not the file itself",
        f"{AGAIN}, from the address with `resolve` instead of `blob`",
    ),
    (rb"(?i)\s*<(\?xml|error)", "the error message of a download server", AGAIN),
    (
        rb"(?s).{5}\0\0\0\{",
        "a safetensors file",
        f"{_CONVERT}, or serve it with vLLM and measure that with provider openai",
    ),
    (
        rb"PK\x03\x04",
        "a ZIP archive or a PyTorch checkpoint",
        f"{_UNPACK}; for a checkpoint {_CONVERT}",
    ),
    (rb"\x80[\x02-\x05]", "a PyTorch checkpoint", _CONVERT),
    (rb"\x89HDF", "an HDF5 file", _CONVERT),
    (rb"\x1f\x8b", "a gzip archive", _UNPACK),
    (rb"\x28\xb5\x2f\xfd", "a zstd archive", _UNPACK),
    (rb"\xfd7zXZ", "an xz archive", _UNPACK),
    (rb"BZh", "a bzip2 archive", _UNPACK),
    (rb"7z\xbc\xaf\x27\x1c", "a 7z archive", _UNPACK),
    (rb"Rar!", "a RAR archive", _UNPACK),
    (rb"(?s).{257}ustar", "a tar archive", _UNPACK),
    (
        rb"(lmgg|tjgg|fmgg|algg|ggml|ggmf|ggjt|ggla|GGML)",
        "in a format from before GGUF",
        _GET_GGUF,
    ),
    (
        rb"(\x7fELF|MZ)",
        "a program, perhaps a llamafile",
        "start it, and measure it as a running server: provider openai with base_url",
    ),
    (rb"\0\x05\x16\x07", "a side file of macOS, without the model", "name the file without `._`"),
    (
        rb"\0{16}",
        "only zeros at its beginning: a download that was reserved and not filled",
        AGAIN,
    ),
)

_PART_OF_FILE = re.compile(
    r"(?i)(?P<stem>.+\.gguf)(?P<mark>[.-](?:part-?|split-?|0))(?:[a-z]{2}|\d+(?:of(?P<count>\d+))?)"
)
_SORTED_BY_NAME = 9  # part10 comes before part2
_UNFINISHED = (".part", ".crdownload", ".incomplete", ".download", ".aria2", ".tmp", ".partial")

_NEEDS_MODEL = "name the file of the model itself"
_BY_TYPE = {
    "adapter": Kind(
        "a LoRA adapter, without its model",
        f"{_NEEDS_MODEL}; server_args [--lora, FILE] of provider llama_server adds an adapter",
    ),
    "mmproj": Kind("the vision part of a model (mmproj)", _NEEDS_MODEL),
    "imatrix": Kind("an importance matrix", f"{_NEEDS_MODEL}; a matrix is quantize.imatrix"),
}
_CHAT = "name a model that chats"
_EMBEDDING = Kind("an embedding model or a reranker, which doesn't chat", _CHAT, is_model=True)
_PICTURES = Kind("a model for pictures or video", _CHAT)
_SPEECH = Kind("a model for speech", _CHAT)
_BY_ARCHITECTURE = {
    "clip": _BY_TYPE["mmproj"],
    "controlvector": Kind("a control vector, without its model", _NEEDS_MODEL),
    **dict.fromkeys(
        (
            "bert",
            "nomic-bert",
            "nomic-bert-moe",
            "jina-bert-v2",
            "jina-bert-v3",
            "modern-bert",
            "neo-bert",
            "eurobert",
            "gemma-embedding",
            "t5encoder",
        ),
        _EMBEDDING,
    ),
    **dict.fromkeys(
        (
            "flux",
            "sd1",
            "sd3",
            "sdxl",
            "aura",
            "cosmos",
            "hidream",
            "hyvid",
            "ltxv",
            "lumina2",
            "qwen_image",
            "wan",
        ),
        _PICTURES,
    ),
    **dict.fromkeys(("wavtokenizer-dec", "whisper"), _SPEECH),
}


def kind_of_file(path: Path) -> Kind | None:
    """Return what a file without a GGUF header is; None for one that begins as GGUF does.

    Reads only its first bytes.

    Raises:
        OSError: It can't be read.
    """
    with path.open("rb") as stream:
        beginning = stream.read(_BEGINNING)
    if beginning.startswith(MAGIC):
        return None
    if not beginning:
        return Kind("empty", AGAIN)
    if part := kind_of_name(path):
        return part
    for pattern, what, remedy in _BEGINNINGS:
        if re.match(pattern, beginning):
            return Kind(what, remedy)
    return Kind(f"no model: it does not begin with GGUF{_text(beginning)}", _GET_GGUF)


def kind_of_name(path: Path) -> Kind | None:
    """Return what an incomplete file is by its name: a part, or an unfinished download."""
    part = _PART_OF_FILE.fullmatch(path.name)
    if part:
        parts = f"{shlex.quote(part['stem'] + part['mark'])}*"
        if int(part["count"] or 0) > _SORTED_BY_NAME:
            parts = f"$(ls -v {parts})"
        return Kind(
            "one of the parts of a file that was split",
            f"put them together; type: cat {parts} > {shlex.quote(part['stem'])}",
        )
    left = path.with_name(f"{path.name}.aria2").exists() or path.name.endswith(_UNFINISHED)
    return Kind("a download that is not finished", "finish the download") if left else None


def wrong_version(version: int) -> Unusable:
    """Return what is wrong with a file whose version of the format is not among `VERSIONS`."""
    swapped = int.from_bytes(version.to_bytes(4, "little"), "big")
    if swapped in VERSIONS:
        return Unusable(
            "it is written for big-endian machines",
            "convert it with gguf-convert-endian FILE little, or get the usual file",
        )
    if version < min(VERSIONS):
        return Unusable(f"version {version} of the format is from 2023", _GET_GGUF)
    if version <= 0xFFFF:
        return Unusable(
            f"version {version} of the format is newer than those known here "
            f"({', '.join(map(str, VERSIONS))})",
            "update orket-quant-sweep, or serve it yourself and name the server in base_url",
        )
    return Unusable("its header is damaged", AGAIN)


def kind_of_model(metadata: Mapping[str, Any], tensors: int) -> Kind | None:
    """Return what a readable GGUF file is instead of a model that chats; None for such a model.

    Args:
        metadata: Of the file.
        tensors: How many it has.
    """
    architecture = str(metadata.get("general.architecture", ""))
    by_type = _BY_TYPE.get(str(metadata.get("general.type", "")))
    found = by_type or _BY_ARCHITECTURE.get(architecture)
    if found:
        return found
    if not tensors:
        return Kind("a vocabulary without weights: it has no tensors", _NEEDS_MODEL)
    if metadata.get(f"{architecture}.pooling_type"):
        return _EMBEDDING
    return None


def _text(beginning: bytes) -> str:
    """Return the beginning of a text file, for a message; nothing for other files."""
    text = beginning.decode("utf-8", errors="replace")[:_SHOWN]
    line = " ".join(text.split())
    readable = "\ufffd" not in line and line.isprintable()
    return f" but with `{line}`" if readable and line else ""
