"""The header of GGUF files, held against the `gguf` package's own writer and reader."""

from __future__ import annotations

import random
import struct
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest

from orket_lib.providers.gguf.file import read_gguf
from orket_lib.providers.gguf.header import Skipped, read_header
from orket_lib.vocabulary.errors import LoadError

MODELS = Path(__file__).parents[3] / "models" / "orket-nano"
NANO = MODELS / "orket-nano-Q4_K_M.gguf"


def written(path: Path, tensors: int = 3, split: int = 0, **entries: Any) -> Path:
    """Write a file with some tensors of 64 numbers, and metadata."""
    writer = gguf.GGUFWriter(path, "llama", split_max_tensors=split)
    for key, value in entries.items():
        kind = gguf.GGUFValueType.get_type(value)
        writer.add_key_value(key.replace("__", "."), value, kind)
    for index in range(tensors):
        writer.add_tensor(f"t{index}", np.full(64, index, dtype=np.float16))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


@pytest.mark.parametrize("path", sorted(MODELS.glob("*.gguf")), ids=lambda path: path.stem)
def test_it_is_read_as_the_gguf_package_reads_it(path: Path) -> None:
    theirs, ours = gguf.GGUFReader(path), read_header(path)
    assert [(t.elements, t.bytes, t.offset) for t in ours.tensors] == [
        (int(t.n_elements), int(t.n_bytes), int(t.data_offset)) for t in theirs.tensors
    ]
    fields = {key: field for key, field in theirs.fields.items() if not key.startswith("GGUF.")}
    assert list(ours.metadata) == list(fields)
    for key, field in fields.items():
        value = ours.metadata[key]
        if isinstance(value, Skipped):
            assert value.length == len(field.contents())
        elif isinstance(value, tuple):
            assert list(value) == field.contents()
        else:
            assert value == field.contents()
    assert ours.end <= path.stat().st_size


def test_every_type_of_the_format_is_understood(tmp_path: Path) -> None:
    writer = gguf.GGUFWriter(tmp_path / "x.gguf", "llama")
    values = {"uint8": 200, "int8": -3, "uint16": 60000, "int16": -9, "uint32": 1 << 31}
    values |= {"int32": -(1 << 30), "uint64": 1 << 63, "int64": -(1 << 62)}
    for name, value in values.items():
        getattr(writer, f"add_{name}")(name, value)
    writer.add_float32("float32", 0.5)
    writer.add_float64("float64", 1e300)
    writer.add_bool("bool", True)
    writer.add_string("string", "Gr\u00fc\u00dfe")
    writer.add_array("numbers", [1, 2, 3])
    writer.add_array("words", ["a", "bc"])
    writer.add_array("many", list(range(5000)))
    writer.add_tensor("t", np.zeros(32, dtype=np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()

    found = read_header(tmp_path / "x.gguf").metadata

    assert {name: found[name] for name in values} == values
    assert (found["float32"], found["float64"], found["bool"]) == (0.5, 1e300, True)
    assert (found["string"], found["numbers"]) == ("Gr\u00fc\u00dfe", (1, 2, 3))
    assert (found["words"], found["many"]) == (Skipped(2), Skipped(5000))


def test_a_vocabulary_of_a_quarter_million_tokens_is_stepped_over(tmp_path: Path) -> None:
    tokens = [f"token {number}" for number in range(262_144)]
    path = written(tmp_path / "large.gguf", tokenizer__ggml__tokens=tokens)
    # Twenty times what it takes; the reader of the package takes half a minute.
    assert _seconds(lambda: read_header(path)) < 3
    assert read_header(path).metadata["tokenizer.ggml.tokens"] == Skipped(262_144)


def _seconds(call: Any) -> float:
    import time

    begin = time.process_time()
    call()
    return time.process_time() - begin


def test_damage_anywhere_in_the_header_is_one_kind_of_error(tmp_path: Path) -> None:
    whole = NANO.read_bytes()
    header = read_header(NANO).tensors[0].offset
    dice, path, refused = random.Random(5), tmp_path / "x.gguf", 0
    for _ in range(400):
        damaged = bytearray(whole)
        for _ in range(dice.randint(1, 4)):
            damaged[dice.randrange(header)] = dice.randrange(256)
        path.write_bytes(bytes(damaged[: dice.choice([len(damaged), dice.randrange(header)])]))
        try:
            read_header(path)
        except ValueError:
            refused += 1
    assert refused > 200  # most damage shows; a letter in a token doesn't


@pytest.mark.parametrize(
    ("content", "words"),
    [
        pytest.param(b"GGML" + bytes(64), "before GGUF", id="older format"),
        pytest.param(b"GGUF" + struct.pack("<I", 1) + bytes(64), "version 1 of", id="version 1"),
        pytest.param(b"GGUF" + struct.pack(">I", 3) + bytes(64), "big-endian", id="Motorola"),
        pytest.param(b"GGUF" + struct.pack("<IQQ", 3, 0, 2**63), "or damaged", id="entries"),
        pytest.param(
            b"GGUF" + struct.pack("<IQQQ", 3, 0, 1, 2**62) + b"key",
            "or damaged",
            id="long key",
        ),
        pytest.param(
            b"GGUF" + struct.pack("<IQQQcIIQ", 3, 0, 1, 1, b"k", 9, 9, 2) + bytes(64),
            "or damaged",
            id="array of arrays",
        ),
    ],
)
def test_what_is_wrong_with_a_file_is_said(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "x.gguf"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=words):
        read_header(path)
    with pytest.raises(LoadError, match=words):
        read_gguf(path)


def test_a_model_in_several_files_is_their_sum(tmp_path: Path) -> None:
    written(tmp_path / "x.gguf", tensors=5, split=2, general__file_type=1)
    parts = sorted(tmp_path.glob("x-*.gguf"))
    assert [part.name for part in parts] == [f"x-0000{n}-of-00003.gguf" for n in (1, 2, 3)]

    facts = read_gguf(parts[0])

    assert (facts.parameters, facts.bits_per_weight, facts.quant_tag) == (5 * 64, 16.0, "F16")
    assert facts.bytes == sum(part.stat().st_size for part in parts)
    parts[2].unlink()
    with pytest.raises(
        LoadError, match=r"x-00003-of-00003\.gguf: not a readable GGUF file: No such"
    ):
        read_gguf(parts[0])


def test_a_cut_file_says_how_much_of_it_is_there(tmp_path: Path) -> None:
    path = written(tmp_path / "x.gguf")
    size = path.stat().st_size
    path.write_bytes(path.read_bytes()[: size - 100])
    with pytest.raises(
        LoadError, match=rf"it is truncated: {size - 100} of {read_header(path).end} bytes"
    ):
        read_gguf(path)
