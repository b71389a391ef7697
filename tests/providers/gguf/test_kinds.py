"""What a file can turn out to be, each with its remedy; good files are none of it."""

from __future__ import annotations

import gzip
import io
import os
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest

from orket_lib.providers.gguf.file import read_gguf, read_servable
from orket_lib.providers.gguf.header import read_header
from orket_lib.vocabulary.errors import UnusableFile
from orket_lib.vocabulary.failures import Cause
from orket_lib.vocabulary.nulls import Null

NANO = Path(__file__).parents[3] / "models" / "orket-nano" / "orket-nano-Q4_K_M.gguf"
WHOLE = NANO.read_bytes()
Make = Callable[[Path], Path]


def of_bytes(content: bytes, name: str = "m.gguf") -> Make:
    def make(folder: Path) -> Path:
        (folder / name).write_bytes(content)
        return folder / name

    return make


def written(name: str = "m.gguf", architecture: str = "llama", **entries: Any) -> Make:
    """Return a maker of a small GGUF file with this metadata."""

    def make(folder: Path) -> Path:
        writer = gguf.GGUFWriter(folder / name, architecture)
        for key, value in entries.items():
            kind = gguf.GGUFValueType.get_type(value)
            writer.add_key_value(key.replace("__", "."), value, kind)
        writer.add_tensor("t", np.full(64, 1, dtype=np.float16))
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
        return folder / name

    return make


def unfilled(folder: Path) -> Path:
    """Make a file whose second half was reserved and never downloaded."""
    path = folder / "zeros.gguf"
    path.write_bytes(WHOLE[: len(WHOLE) // 2] + bytes(len(WHOLE) - len(WHOLE) // 2))
    return path


def beside_its_download(folder: Path) -> Path:
    (folder / "m.gguf.aria2").touch()
    return of_bytes(WHOLE[:-9999])(folder)


def zipped() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("m.gguf", "x")
    return buffer.getvalue()


def header(version: int, tensors: int = 0, entries: int = 0, order: str = "<") -> bytes:
    return b"GGUF" + struct.pack(f"{order}IQQ", version, tensors, entries) + bytes(64)


SPLIT = {"split__no": 0, "split__count": 2}

BAD: dict[str, tuple[Make, str, str]] = {
    # The cases.
    "LFS": (
        of_bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n"),
        "a Git LFS pointer",
        "type: git lfs pull",
    ),
    "page": (of_bytes(b"<!doctype html>\n"), "a web page", "`resolve` instead of `blob`"),
    "part": (
        of_bytes(WHOLE[:1024864], "m.gguf.part1of2"),
        "truncated: 1024864 of",
        r"type: cat m.gguf.part* > m.gguf",
    ),
    "zeros": (unfilled, "weights are zeros in", "download it again"),
    "first shard renamed": (
        lambda folder: _with_split(folder, WHOLE),
        "shard 1 of 2 of a model, under another name than NAME-00001-of-00002.gguf",
        "name the first: NAME-00001-of-00002.gguf",
    ),
    "shards joined": (
        lambda folder: _with_split(folder, WHOLE, after=WHOLE),
        "2 shards of a model, joined byte by byte",
        "llama-gguf-split --merge",
    ),
    # Further members.
    "page with a comment": (of_bytes(b"\n <!-- x -->\n<HTML>"), "a web page", "resolve"),
    "page in XML": (of_bytes(b'<?xml version="1.0"?><html>'), "a web page", "resolve"),
    "error of a store": (of_bytes(b"<Error><Code>NoSuchKey</Code>"), "error message", "again"),
    "words": (
        of_bytes(b"Invalid username or password."),
        "but with `Invalid username",
        "get a GGUF",
    ),
    "JSON": (of_bytes(b'{"error": "gated"}'), "does not begin with GGUF", "get a GGUF"),
    "second part": (
        of_bytes(WHOLE[1024864:], "my m.gguf.part2of2"),
        "one of the parts",
        "cat 'my m.gguf.part'* > 'my m.gguf'",
    ),
    "part of twelve": (of_bytes(WHOLE[9:], "m.gguf.part2of12"), "one of the parts", "ls -v"),
    "split -b": (of_bytes(WHOLE[9:], "m.gguf-split-ab"), "parts", "cat m.gguf-split-* > m.gguf"),
    "browser": (of_bytes(b"\0" * 99, "m.gguf.crdownload"), "not finished", "finish"),
    "aria2": (beside_its_download, "truncated", "finish the download"),
    "reserved": (of_bytes(bytes(4096)), "only zeros at its beginning", "download it again"),
    "empty": (of_bytes(b""), "empty", "download it again"),
    "safetensors": (
        of_bytes(struct.pack("<Q", 300) + b'{"__metadata__":{}}' + bytes(300)),
        "safetensors",
        "convert_hf_to_gguf.py",
    ),
    "checkpoint": (of_bytes(b"\x80\x02\x8a\nl\xfc"), "PyTorch", "convert_hf_to_gguf.py"),
    "zip": (of_bytes(zipped()), "a ZIP archive", "unpack it"),
    "gzip": (of_bytes(gzip.compress(WHOLE[:999])), "a gzip archive", "unpack it"),
    "older format": (of_bytes(b"tjgg" + bytes(64)), "before GGUF", "get a GGUF file"),
    "llamafile": (of_bytes(b"MZqFpD='\n"), "perhaps a llamafile", "base_url"),
    "macOS": (of_bytes(b"\0\5\26\7" + bytes(64)), "side file of macOS", "._"),
    "big-endian": (of_bytes(header(3, order=">")), "big-endian", "gguf-convert-endian"),
    "version 1": (of_bytes(header(1)), "version 1 of the format", "get a GGUF file"),
    "version 4": (of_bytes(header(4)), "version 4 of the format is newer", "update"),
    "too many tensors": (of_bytes(header(3, tensors=2**40)), "damaged", "download it again"),
    "too many keys": (of_bytes(header(3, entries=2**40)), "damaged", "download it again"),
    "adapter": (written(general__type="adapter"), "a LoRA adapter", "--lora"),
    "projector": (written(architecture="clip"), "vision part", "the model itself"),
    "matrix": (written(general__type="imatrix"), "an importance matrix", "quantize.imatrix"),
    "control vector": (written(architecture="controlvector"), "control vector", "the model itself"),
    "embedding": (written(architecture="bert"), "an embedding model", "a model that chats"),
    "pooling": (written(llama__pooling_type=1), "embedding", "a model that chats"),
    "pictures": (written(architecture="flux"), "pictures", "a model that chats"),
}


def _with_split(folder: Path, content: bytes, after: bytes = b"") -> Path:
    """Make a copy of the reference model that says it is the first of two shards."""
    path = folder / "model.gguf"
    reader = gguf.GGUFReader(NANO)
    writer = gguf.GGUFWriter(path, "llama")
    for key, value in SPLIT.items():
        writer.add_uint16(key.replace("__", "."), int(value))
    for tensor in reader.tensors[:4]:
        writer.add_tensor(tensor.name, tensor.data, raw_dtype=tensor.tensor_type)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    with path.open("ab") as stream:
        stream.write(after)
    return path


@pytest.mark.parametrize("case", BAD)
def test_what_is_no_model_is_named_with_its_remedy(case: str, tmp_path: Path) -> None:
    make, what, remedy = BAD[case]
    path = make(tmp_path)
    with pytest.raises(UnusableFile) as raised:
        read_servable(path)
    assert what in raised.value.what
    assert remedy in raised.value.remedy
    assert str(raised.value) == f"{path.as_posix()}: {raised.value.what}; {raised.value.remedy}"
    assert raised.value.evidence.cause is Cause.UNREADABLE


def longer(folder: Path) -> Path:
    """Make a model that something was appended to: it loads."""
    return of_bytes(WHOLE + bytes(100_000))(folder)


def with_a_few_zeros(folder: Path) -> Path:
    """Make a model with a padded vocabulary: a twentieth of it is zeros."""
    content = bytearray(WHOLE)
    begin, length = len(WHOLE) // 2, len(WHOLE) // 20
    content[begin : begin + length] = bytes(length)
    return of_bytes(bytes(content))(folder)


GOOD: dict[str, Make] = {
    "the reference model": of_bytes(WHOLE),
    "under any name": of_bytes(WHOLE, "blob-0123456789"),
    "named like a part, and whole": of_bytes(WHOLE, "m.gguf.part"),
    "something appended": longer,
    "a few zeros": with_a_few_zeros,
    "general.type": written(general__type="model"),
    "no pooling": written(llama__pooling_type=0),
    "split in one": written(split__no=0, split__count=1),
    "vision in its name": written("llava-mmproj-merged.gguf"),
    "an architecture of tomorrow": written(architecture="llama99"),
}


@pytest.mark.parametrize("case", GOOD)
def test_a_model_is_a_model(case: str, tmp_path: Path) -> None:
    assert read_servable(GOOD[case](tmp_path)).kind is None


def test_a_shard_by_its_own_name_is_one_of_several(tmp_path: Path) -> None:
    path = _with_split(tmp_path, WHOLE)
    first = path.rename(tmp_path / "x-00001-of-00002.gguf")
    with pytest.raises(UnusableFile) as found:
        read_gguf(first)
    # Doctor and preflight show this next to the name of the first shard.
    assert found.value.what.startswith("its shard x-00002-of-00002.gguf: not a readable GGUF file")
    assert found.value.evidence.cause is Cause.NO_FILE


def _renumbered(folder: Path, before: int, after: int) -> Path:
    """Make a copy of the reference model with another number for one type of its tensors."""
    reader = gguf.GGUFReader(NANO)
    content = bytearray(WHOLE)
    for tensor in reader.tensors:
        if tensor.tensor_type == before:
            name = tensor.name.encode()
            line = WHOLE.index(struct.pack("<Q", len(name)) + name)
            at = line + 8 + len(name) + 4 + 8 * len(tensor.shape)
            content[at : at + 4] = struct.pack("<I", after)
    return of_bytes(bytes(content))(folder)


@pytest.mark.parametrize("unknown", [144, 156, 999, 2**31])
def test_a_type_that_is_not_known_costs_the_bits_and_nothing_else(
    unknown: int, tmp_path: Path
) -> None:
    path = _renumbered(tmp_path, gguf.GGMLQuantizationType.Q4_K, unknown)
    facts = read_servable(path)
    assert facts.bits_per_weight is None
    assert facts.known_bits == Null("UNKNOWN_QUANT_TYPE")
    assert facts.unknown_types == (unknown,)
    assert facts.parameters == read_gguf(NANO).parameters


def test_a_truncated_file_with_unknown_types_is_truncated_all_the_same(tmp_path: Path) -> None:
    path = _renumbered(tmp_path, gguf.GGMLQuantizationType.Q4_K, 144)
    os.truncate(path, read_header(path).tensors[-1].offset - 1)
    with pytest.raises(UnusableFile, match="truncated"):
        read_gguf(path)
