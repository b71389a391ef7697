"""Variants of quants in a config: which cells there are, and which settings each has."""

from __future__ import annotations

from typing import Any

import pytest

from orket_lib.config.loading.parse import parse
from orket_lib.config.model_files import model_ref
from orket_lib.vocabulary.errors import ConfigError

KV8 = {"cache_type_k": "q8_0", "cache_type_v": "q8_0"}


def config(**changes: Any) -> dict[str, Any]:
    values: dict[str, Any] = {
        "models": ["m"],
        "quants": ["F16", "q4_k_m"],
        "artifact_template": "{model}-{quant}.gguf",
        "variants": {"kv8": KV8},
    }
    return values | changes


def test_each_quant_is_followed_by_its_variants_which_serve_the_same_file() -> None:
    found = parse(config())
    assert found.quants == ("F16", "F16@kv8", "Q4_K_M", "Q4_K_M@kv8")
    assert found.largest_quant("m") == "F16"
    assert str(model_ref(found, "m", "Q4_K_M@kv8")) == "m-Q4_K_M.gguf"
    assert found.in_variant("kv8").cache_type_k == "q8_0"
    assert found.cache_type_k is None
    assert found.bits("Q4_K_M@kv8") == found.bits("Q4_K_M")


def test_a_config_that_lists_a_variant_has_only_those_that_it_lists() -> None:
    assert parse(config(quants="F16, F16@kv8, Q2_K")).quants == ("F16", "F16@kv8", "Q2_K")


def test_a_label_that_is_no_variant_names_a_file_of_its_own() -> None:
    tags = {"m": {"Q4_K_M@bartowski": "b.gguf", "Q4_K_M@unsloth": "u.gguf"}}
    found = parse(config(models={"m": {"artifacts": tags["m"]}}, quants=list(tags["m"])))
    assert found.quants == ("Q4_K_M@bartowski", "Q4_K_M@unsloth")  # no variants of labelled ones
    assert str(model_ref(found.of("m"), "m", "Q4_K_M@unsloth")) == "u.gguf"
    assert str(model_ref(parse(config()), "m", "Q4_K_M@x")) == "m-Q4_K_M@x.gguf"


def test_a_model_with_quants_of_its_own_has_their_variants() -> None:
    found = parse(config(models={"m": {"quants": ["F16"]}, "n": None}))
    assert found.quants_of("m") == ("F16", "F16@kv8")
    assert found.quants_of("n") == found.quants


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"variants": {"a b": KV8}}, "variants: `a b` is no label"),
        ({"variants": {"kv8": None}}, "`kv8` must be a mapping of settings"),
        ({"variants": {"kv8": {"base_url": "x"}}}, "variants.kv8.base_url: there is no such"),
        ({"variants": {"kv8": {"cache_type_k": "q9"}}}, "variants.kv8.cache_type_k: must be"),
        ({"variants": {"gpu": {"gpu_layers": 4}}}, "variants.gpu.gpu_layers: provider `embedded`"),
        ({"variants": {"gpu": {"gpu_layers": "search"}}}, "gpu.gpu_layers: provider `embedded`"),
        (
            {
                "provider": "ollama",
                "tag_template": "{model}:{quant}",
                "variants": {"gpu": {"gpu_layers": "search"}},
            },
            "variants.gpu.gpu_layers: `search` needs provider `llama_server` without base_url",
        ),
        (
            {
                "provider": "llama_server",
                "base_url": "http://127.0.0.1:8080",
                "models": {"m": {"gpu_layers": "search"}},
                "variants": {},
            },
            "models.m.gpu_layers: provider `llama_server` can't apply it",
        ),
        (
            {"provider": "llama_server", "variants": {"gpu": {"gpu_layers": "serch"}}},
            "variants.gpu.gpu_layers: must be",
        ),
        (
            {"provider": "llama_server", "variants": {"gpu": {"gpu_layers": -1}}},
            "variants.gpu.gpu_layers: must be",
        ),
        (
            {"variants": {"b": {"batch_size": 64, "ubatch_size": 128}}},
            "variants.b.ubatch_size: must not be above batch_size: 64",
        ),
        (
            {
                "provider": "llama_server",
                "server_args": ["-fa", "on"],
                "variants": {"off": {"flash_attn": False}},
            },
            "variants.off.server_args: must not contain `-fa` beside flash_attn",
        ),
        (
            {
                "provider": "ollama",
                "tag_template": "{model}:{quant}",
                "variants": {"kv8": KV8},
            },
            "provider `ollama` can't apply it: it can set batch_size, gpu_layers; OLLAMA_KV",
        ),
    ],
)
def test_what_cannot_be_a_variant_is_named(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigError) as error:
        parse(config(**changes))
    assert any(says in line for line in error.value.problems), error.value.problems


def test_a_wrong_variant_is_named_alone_and_the_others_are_judged() -> None:
    wrong = {"b": {"cache_type_k": "q9"}, "c": {"gpu_layers": 1}, "d": {}}
    with pytest.raises(ConfigError) as error:
        parse(config(variants={name: wrong[name] for name in "bc"}))
    assert [line.partition(": ")[0] for line in error.value.problems] == [
        "variants.b.cache_type_k",
        "variants.c.gpu_layers",
    ]
    with pytest.raises(ConfigError) as error:
        parse(config(variants=wrong))
    assert [line.partition(": ")[0] for line in error.value.problems] == ["variants"]
