"""What LM Studio lists, as its documentation shows it."""

from __future__ import annotations

from typing import Any

import pytest

from orket_lib.providers.base import TokenReport
from orket_lib.providers.lmstudio.client import lmstudio_tokens
from orket_lib.providers.lmstudio.models import (
    Answering,
    Instance,
    Listed,
    answering,
    find,
    loaded,
    models_of_v0,
    models_of_v1,
)

V1 = {
    "models": [
        {
            "type": "llm",
            "publisher": "lmstudio-community",
            "key": "gemma-3-270m-it-qat",
            "display_name": "Gemma 3 270m Instruct Qat",
            "architecture": "gemma3",
            "quantization": {"name": "Q4_0", "bits_per_weight": 4},
            "size_bytes": 241410208,
            "params_string": "270M",
            "loaded_instances": [
                {"id": "gemma-3-270m-it-qat", "config": {"context_length": 4096}},
                {"id": "gemma-3-270m-it-qat:2", "config": {}},
            ],
            "max_context_length": 32768,
            "format": "gguf",
            "capabilities": {"vision": False, "trained_for_tool_use": False},
            "description": None,
            "variants": ["gemma-3-270m-it-qat@q4_0", {"key": "gemma-3-270m-it-qat@q8_0"}],
        },
        {
            "type": "embedding",
            "key": "text-embedding-nomic",
            "quantization": None,
            "size_bytes": 274290560,
            "loaded_instances": [],
        },
    ]
}
V0 = {
    "object": "list",
    "data": [
        {
            "id": "qwen2-vl-7b-instruct",
            "object": "model",
            "type": "vlm",
            "quantization": "4bit",
            "state": "not-loaded",
            "max_context_length": 32768,
        },
        {
            "id": "meta-llama-3.1-8b-instruct",
            "object": "model",
            "type": "llm",
            "quantization": "Q4_K_M",
            "state": "loaded",
            "max_context_length": 131072,
            "loaded_context_length": 8192,
        },
    ],
}
ANSWER: dict[str, Any] = {
    "usage": {"prompt_tokens": 24, "completion_tokens": 53, "total_tokens": 77},
    "stats": {
        "tokens_per_second": 51.43709529007664,
        "time_to_first_token": 0.111,
        "generation_time": 0.954,
        "stop_reason": "eosFound",
    },
    "model_info": {"arch": "granite", "quant": "Q4_K_M", "format": "gguf", "context_length": 4096},
    "runtime": {
        "name": "llama.cpp-mac-arm64-apple-metal-advsimd",
        "version": "1.3.0",
        "supported_formats": ["gguf"],
    },
}


def test_the_newer_list_has_instances_sizes_and_variants() -> None:
    models = models_of_v1(V1)
    assert models is not None
    gemma, nomic = models
    assert (gemma.quant_tag, gemma.bytes) == ("Q4_0", 241410208)
    assert gemma.variants == ("gemma-3-270m-it-qat@q4_0", "gemma-3-270m-it-qat@q8_0")
    assert gemma.instances == (
        Instance("gemma-3-270m-it-qat", 4096),
        Instance("gemma-3-270m-it-qat:2", None),
    )
    assert (nomic.quant_tag, nomic.instances) == (None, ())
    assert list(loaded(models)) == ["gemma-3-270m-it-qat", "gemma-3-270m-it-qat:2"]


def test_the_older_list_has_what_is_loaded_with_its_context() -> None:
    models = models_of_v0(V0)
    assert models is not None
    assert [item.quant_tag for item in models] == ["4BIT", "Q4_K_M"]
    assert loaded(models) == {
        "meta-llama-3.1-8b-instruct": Instance("meta-llama-3.1-8b-instruct", 8192)
    }


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("gemma-3-270m-it-qat", True),
        ("gemma-3-270m-it-qat@q8_0", True),
        ("gemma-3-270m-it-qat@q2_k", False),
        ("gemma", False),
    ],
)
def test_a_model_is_found_by_its_key_or_a_variant(name: str, found: bool) -> None:
    assert (find(name, models_of_v1(V1) or ()) is not None) is found


@pytest.mark.parametrize(
    "answer",
    [{}, {"error": "Unexpected endpoint or method. (GET /api/v1/models)"}, {"models": None}],
)
def test_a_version_that_does_not_know_a_route_lists_nothing(answer: dict[str, Any]) -> None:
    assert models_of_v1(answer) is None
    assert models_of_v0(answer) is None


@pytest.mark.parametrize("entry", ["x", None, {}, {"key": 3}, {"key": ""}])
def test_what_is_no_model_is_left_out(entry: object) -> None:
    assert models_of_v1({"models": [entry]}) == ()


def test_odd_fields_are_fields_that_were_not_sent() -> None:
    odd = {"key": "a", "quantization": "Q4_0", "size_bytes": "big", "loaded_instances": {"id": 1}}
    assert models_of_v1({"models": [odd]}) == (Listed("a", None, None, (), ()),)


def test_an_answer_says_who_gave_it() -> None:
    runtime = "llama.cpp-mac-arm64-apple-metal-advsimd 1.3.0"
    assert answering(ANSWER) == Answering("Q4_K_M", 4096, runtime)
    assert answering({}) == Answering(None, None, None)


def test_the_time_to_the_first_token_is_no_time_of_the_prompt() -> None:
    usage, stats = ANSWER["usage"], ANSWER["stats"]
    assert lmstudio_tokens(usage, stats) == TokenReport(prompt=24, output=53, decode_s=0.954)


def test_a_rate_is_never_turned_into_a_time() -> None:
    assert lmstudio_tokens(ANSWER["usage"], {"tokens_per_second": 50.0}).decode_s is None
    assert lmstudio_tokens(None, None) == TokenReport()
