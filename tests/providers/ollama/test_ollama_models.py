"""What an Ollama server says of its models, read."""

from __future__ import annotations

from typing import Any

import pytest

from orket_lib.providers.ollama.models import (
    Loaded,
    details,
    find,
    find_loaded,
    is_cloud,
    loaded_models,
    offers,
)
from orket_lib.vocabulary.nulls import Null

DIGEST = "42182419e9508c30c4b1fe55015f06b65f4ca4b9e28a744be55008d21998a093"
TAGS: dict[str, Any] = {
    "models": [
        {
            "name": "llama3.1:8b-instruct-q4_K_M",
            "model": "llama3.1:8b-instruct-q4_K_M",
            "modified_at": "2026-09-17T15:42:59.7420965+02:00",
            "size": 4920753328,
            "digest": DIGEST,
            "details": {
                "parent_model": "",
                "format": "gguf",
                "family": "llama",
                "families": ["llama"],
                "parameter_size": "8.0B",
                "quantization_level": "Q4_K_M",
            },
        },
        {"name": "hf.co/someone/Some-Model-GGUF:latest", "size": 1, "digest": f"sha256:{DIGEST}"},
        {
            "name": "gpt-oss:120b-cloud",
            "remote_model": "gpt-oss:120b",
            "remote_host": "https://ollama.com:443",
            "size": 384,
            "digest": "ab" * 32,
        },
    ]
}


def test_models_on_offer() -> None:
    local, other, cloud = offers(TAGS)
    assert (local.name, local.digest, local.bytes) == (
        "llama3.1:8b-instruct-q4_K_M",
        DIGEST,
        4920753328,
    )
    assert (local.quant_tag, local.cloud) == ("Q4_K_M", False)
    assert (other.digest, other.quant_tag) == (DIGEST, None)
    assert (cloud.cloud, cloud.remote_host) == (True, "https://ollama.com:443")


@pytest.mark.parametrize(
    ("tag", "found"),
    [
        ("llama3.1:8b-instruct-q4_K_M", 0),
        ("LLAMA3.1:8B-instruct-q4_k_m", 0),
        ("registry.ollama.ai/library/llama3.1:8b-instruct-q4_K_M", 0),
        ("library/llama3.1:8b-instruct-q4_K_M", 0),
        ("hf.co/someone/Some-Model-GGUF", 1),
        ("hf.co/someone/Some-Model-GGUF:latest", 1),
        ("llama3.1", None),
        ("llama3.1:8b", None),
        ("Some-Model-GGUF", None),
    ],
)
def test_a_tag_names_one_model_in_all_its_spellings(tag: str, found: int | None) -> None:
    known = offers(TAGS)
    assert find(tag, known) == (None if found is None else known[found])


@pytest.mark.parametrize(
    ("tag", "cloud"),
    [
        ("gpt-oss:120b-cloud", True),
        ("kimi-k2:cloud", True),
        ("qwen3:cloud", True),
        ("cloud:7b", False),
        ("cloudy", False),
        ("storm-cloud", False),
        ("storm-cloud:7b", False),
        ("gpt-oss:20B-Cloud", True),
        ("someone/cloud:q4_0", False),
    ],
)
def test_a_cloud_model_is_known_by_its_tag(tag: str, cloud: bool) -> None:
    assert is_cloud(tag) is cloud


def test_models_in_memory() -> None:
    entry = {"name": "a:b", "digest": DIGEST, "size": 5, "size_vram": 0, "context_length": 8192}
    (found,) = loaded_models({"models": [entry]})
    assert found == Loaded("a:b", DIGEST, 8192, 5, 0)
    (old,) = loaded_models({"models": [{"name": "a:b", "size": 5}]})
    assert old == Loaded("a:b", None, None, 5, None)


def test_a_loaded_model_is_found_by_another_name_of_its_digest() -> None:
    other = Loaded("llama3.1:8b", DIGEST, None, None, None)
    stranger = Loaded("c:d", "ab" * 32, None, None, None)
    assert find_loaded([stranger, other], "llama3.1:8b-instruct-q4_K_M", DIGEST) == other
    assert find_loaded([stranger], "llama3.1:8b", DIGEST) is None
    unknown = Loaded("e:f", None, None, None, None)
    assert find_loaded([unknown], "llama3.1:8b", None) is None


def test_a_file_is_described_by_its_manifest_its_header_and_its_tensors() -> None:
    found = details(
        {
            "details": {"quantization_level": "Q4_K_M"},
            "model_info": {"general.file_type": 10, "llama.context_length": 131072},
            "capabilities": ["completion", "thinking"],
            "tensors": [
                {"name": "a", "type": "F16", "shape": [256, 4]},
                {"name": "b", "type": "Q8_0", "shape": [256, 12]},
            ],
        }
    )
    assert (found.quant_tag, found.file_quant_tag) == ("Q4_K_M", "Q2_K")
    assert found.capabilities == ("completion", "thinking")
    assert found.bits_per_weight == pytest.approx((16 * 4 + 8.5 * 12) / 16)


@pytest.mark.parametrize(
    "tensors",
    [
        None,
        [],
        "none",
        [{"name": "a"}],
        [{"name": "a", "type": "F16", "shape": [256]}, {"name": "b", "type": "F16", "shape": [-1]}],
        [{"name": "a", "type": "F16", "shape": ["x"]}],
        [{"name": "a", "type": "F16", "shape": 5}],
    ],
)
def test_bits_that_can_not_be_counted_are_none(tensors: Any) -> None:
    assert details({"tensors": tensors}).bits_per_weight is None


def test_a_type_of_tomorrow_makes_the_bits_null_with_that_reason() -> None:
    tensors = [{"name": "a", "type": "NEW_4", "shape": [256]}]
    assert details({"tensors": tensors}).bits_per_weight == Null("UNKNOWN_QUANT_TYPE")


@pytest.mark.parametrize("level", ["unknown", "", None, 4])
def test_an_unknown_quant_is_none(level: Any) -> None:
    assert details({"details": {"quantization_level": level}}).quant_tag is None


@pytest.mark.parametrize(
    "answer", [{}, {"models": None}, {"models": 5}, {"models": [None, 5, "a"]}, {"model_info": []}]
)
def test_an_answer_of_another_shape_is_nothing(answer: dict[str, Any]) -> None:
    assert offers(answer) == ()
    assert loaded_models(answer) == ()
    found = details(answer)
    assert (found.quant_tag, found.file_quant_tag, found.capabilities) == (None, None, ())
