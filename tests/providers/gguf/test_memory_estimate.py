"""Estimates of memory, against numbers that llama.cpp prints for models that many have."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from builders import spec

from orket_lib.providers.base import GenerationRequest, Source
from orket_lib.providers.gguf.file import read_gguf
from orket_lib.providers.gguf.header import Skipped
from orket_lib.providers.gguf.memory_estimate import RUNTIME_MIB, memory_need, shape_of
from orket_lib.providers.llama_cpp.embedded import EmbeddedProvider
from orket_lib.telemetry.host import peak_rss_mib

NANO = Path(__file__).parents[3] / "models" / "orket-nano" / "orket-nano-F16.gguf"
MIB = 1024**2


def llama(**changes: Any) -> dict[str, Any]:
    """Return the metadata of Llama 3.1 8B, in its own names."""
    values: dict[str, Any] = {
        "block_count": 32,
        "embedding_length": 4096,
        "context_length": 131072,
        "attention.head_count": 32,
        "attention.head_count_kv": 8,
        "vocab_size": 128256,
    }
    named = {f"llama.{key}": value for key, value in (values | changes).items()}
    return {"general.architecture": "llama", **named}


def test_the_cache_of_a_well_known_model_is_known_to_the_byte() -> None:
    need = memory_need(4_920_000_000, shape_of(llama()), 8192)
    assert need.cache_mib == 1024  # `llama_kv_cache: size = 1024.00 MiB ( 8192 cells, 32 layers)`
    assert need.compute_mib == pytest.approx(258.5, rel=0.001)  # `CUDA0 compute buffer size`
    assert not need.upper_bound
    assert need.total_mib == pytest.approx(4_920_000_000 / MIB + 1024 + 258.5 + RUNTIME_MIB)


def test_without_a_context_the_one_that_it_was_trained_with_counts() -> None:
    assert memory_need(1, shape_of(llama()), None).cache_mib == 16384


@pytest.mark.parametrize(
    ("changes", "values"),
    [
        pytest.param({}, 32 * 8 * 256, id="grouped heads"),
        pytest.param({"attention.head_count_kv": None}, 32 * 32 * 256, id="a cache for each head"),
        pytest.param(
            {"attention.key_length": 192, "attention.value_length": 64}, 32 * 8 * 256, id="lengths"
        ),
        pytest.param(
            {"block_count": 4, "attention.head_count_kv": (0, 8, 0, 2)}, 10 * 256, id="hybrid"
        ),
        pytest.param(
            {"block_count": 2, "attention.head_count": [32, 16], "attention.head_count_kv": [8, 4]},
            12 * 256,
            id="heads by layer",
        ),
    ],
)
def test_layers_and_heads_are_counted(changes: dict[str, Any], values: int) -> None:
    shape = shape_of(llama(**changes))
    assert shape is not None
    assert shape.key_values + shape.value_values == values


@pytest.mark.parametrize(
    "changes",
    [
        {"attention.sliding_window": 4096},
        {"attention.kv_lora_rank": 512},
        {"attention.head_count_kv": None},  # a list that Ollama left out
    ],
    ids=str,
)
def test_an_upper_bound_is_called_one(changes: dict[str, Any]) -> None:
    need = memory_need(MIB, shape_of(llama(**changes)), 4096)
    assert need.upper_bound
    assert "KV cache at most" in str(need)


def test_a_header_that_lies_about_its_layers_costs_nothing_but_a_number() -> None:
    need = memory_need(MIB, shape_of(llama(block_count=2**32 - 1)), 4096)
    assert need.cache_mib == pytest.approx((2**32 - 1) * 16)


def test_the_vocabulary_is_counted_where_it_is_not_said() -> None:
    metadata = llama(vocab_size=None) | {"tokenizer.ggml.tokens": Skipped(32000)}
    counted = shape_of(metadata)
    guessed = shape_of(llama(vocab_size=None) | {"tokenizer.ggml.tokens": None})
    assert counted is not None
    assert guessed is not None
    assert (counted.vocabulary, guessed.vocabulary) == (32000, 150_000)


@pytest.mark.parametrize(
    "metadata",
    [
        {},
        {"general.architecture": "llama"},
        llama(block_count=None),
        llama(embedding_length="wide"),
        llama(**{"attention.head_count": 0}),
        llama(**{"attention.head_count": [32, None]}),
        llama(block_count=True),
    ],
    ids=str,
)
def test_what_is_not_said_is_not_guessed(metadata: dict[str, Any]) -> None:
    assert shape_of(metadata) is None
    need = memory_need(2 * MIB, None, 4096)
    assert (need.cache_mib, need.compute_mib, need.total_mib) == (None, None, 2 + RUNTIME_MIB)
    assert "its KV cache is not known" in str(need)


def test_the_estimate_covers_what_the_real_server_takes(tmp_path: Path) -> None:
    facts = read_gguf(NANO)
    shape = shape_of(facts.metadata)
    taken = {}
    for n_ctx in (256, 2048):
        chosen = spec(quant_tag="F16", n_ctx=n_ctx)
        with EmbeddedProvider().serve(chosen, Source(NANO), tmp_path / f"{n_ctx}.log") as model:
            model.generate(GenerationRequest("x " * 100, 16, 0.0, 7, 60.0, ignore_eos=True))
            peak = peak_rss_mib(model.pid)
        assert isinstance(peak, float)
        assert peak < memory_need(facts.bytes, shape, n_ctx).total_mib
        taken[n_ctx] = peak
    grown = [memory_need(facts.bytes, shape, n_ctx).cache_mib or 0 for n_ctx in (256, 2048)]
    # 3.5 MiB of cache; the rest of a process varies by a little less than that between two starts.
    assert taken[2048] - taken[256] == pytest.approx(grown[1] - grown[0], abs=3)
