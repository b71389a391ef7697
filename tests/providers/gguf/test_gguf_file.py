from __future__ import annotations

from pathlib import Path

import pytest

from orket_lib.artifacts.io import sha256_of_file
from orket_lib.providers.gguf.file import model_sha256, read_gguf
from orket_lib.vocabulary.errors import LoadError
from orket_lib.vocabulary.quants import NOMINAL_BITS
from orket_lib.vocabulary.units import cpus_of

MODELS = Path(__file__).parents[3] / "models" / "orket-nano"
QUANTS = ("F16", "Q8_0", "Q6_K", "Q5_K_M", "Q4_K_M", "Q3_K_M", "Q2_K")


def model(quant: str) -> Path:
    return MODELS / f"orket-nano-{quant}.gguf"


@pytest.mark.parametrize("quant", QUANTS)
def test_a_file_says_itself_what_it_is(quant: str) -> None:
    facts = read_gguf(model(quant))
    assert facts.quant_tag == quant
    assert facts.parameters == 3_311_872
    assert facts.bits_per_weight is not None
    # The header and the tokenizer are all that the file has in addition to its tensors.
    assert facts.bits_per_weight < model(quant).stat().st_size * 8 / facts.parameters
    assert facts.bits_per_weight == pytest.approx(NOMINAL_BITS[quant], rel=0.03)


def test_the_files_have_the_order_of_their_tags() -> None:
    bits = [read_gguf(model(quant)).bits_per_weight or 0.0 for quant in QUANTS]
    assert bits == sorted(set(bits), reverse=True)


def test_the_name_of_a_file_is_only_a_label(tmp_path: Path) -> None:
    path = tmp_path / "orket-nano-Q8_0.gguf"
    path.write_bytes(model("Q2_K").read_bytes())
    assert read_gguf(path).quant_tag == "Q2_K"


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"GGUF", id="only the magic"),
        pytest.param(b"{}" * 1000, id="something else"),
        pytest.param(model("Q2_K").read_bytes()[:5000], id="cut in the header"),
        pytest.param(model("Q2_K").read_bytes()[:-1000], id="cut in the tensors"),
    ],
)
def test_a_damaged_file_does_not_load(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "model.gguf"
    path.write_bytes(content)
    with pytest.raises(LoadError, match=r"model\.gguf: not a readable GGUF file"):
        read_gguf(path)


def test_a_model_in_parts_is_all_of_its_parts(tmp_path: Path) -> None:
    first, second = (tmp_path / f"m-0000{number}-of-00002.gguf" for number in (1, 2))
    for path in (first, second):
        path.write_bytes(model("Q2_K").read_bytes())
    before = model_sha256(first)
    assert before not in (sha256_of_file(first), sha256_of_file(second))
    second.write_bytes(model("Q3_K_M").read_bytes())
    assert model_sha256(first) != before
    assert model_sha256(model("Q2_K")) == sha256_of_file(model("Q2_K"))
    assert read_gguf(first).parameters == 2 * 3_311_872
    with pytest.raises(LoadError, match=r"of a split model: m-00001-of-00002\.gguf"):
        read_gguf(second)


def test_a_missing_file_does_not_load(tmp_path: Path) -> None:
    with pytest.raises(LoadError, match=r"no\.gguf: not a readable GGUF file"):
        read_gguf(tmp_path / "no.gguf")


@pytest.mark.parametrize(
    ("policy", "cpus"),
    [
        ("all", []),
        ("0", [0]),
        ("0-3", [0, 1, 2, 3]),
        ("0-2,5", [0, 1, 2, 5]),
        ("5,0-2", [0, 1, 2, 5]),
        ("1,1,0-1", [0, 1]),
    ],
)
def test_an_affinity_names_cpus(policy: str, cpus: list[int]) -> None:
    assert cpus_of(policy) == cpus
