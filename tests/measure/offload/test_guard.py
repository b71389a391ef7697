"""Which numbers of layers the memory guard lets through, by the sizes in a real file."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from nano import nano_file, nano_spec

from orket_lib.artifacts.measurements.spec import MeasurementSpec, OffloadTargets
from orket_lib.measure.offload.guard import bounds_of, split_at
from orket_lib.preflight.memory import FreeMemory
from orket_lib.providers.gguf.file import read_gguf
from orket_lib.providers.gguf.memory_estimate import shape_of
from orket_lib.vocabulary.units import MIB

FACTS = read_gguf(nano_file("F16"))
SHAPE = shape_of(FACTS.metadata)
PLENTY = FreeMemory("main memory", 1e6, on_gpu=False)


def spec(**changes: Any) -> MeasurementSpec:
    return nano_spec("F16", provider="llama_server", gpu_layers="search", **changes)


def gpu(free_mib: float) -> FreeMemory:
    return FreeMemory("a GPU", free_mib, on_gpu=True)


def test_a_file_has_its_blocks_and_the_output_layer() -> None:
    blocks, output = FACTS.layers[:-1], FACTS.layers[-1]
    assert len(blocks) == FACTS.metadata["llama.block_count"]
    assert SHAPE is not None
    assert 2 * SHAPE.vocabulary * SHAPE.width <= output <= 2.02 * SHAPE.vocabulary * SHAPE.width
    assert sum(FACTS.layers) < FACTS.bytes < sum(FACTS.layers) + 1.2 * output


def test_all_memory_is_somewhere_and_moves_with_the_layers() -> None:
    assert SHAPE is not None
    cache = SHAPE.cache_mib(2048, None, None)
    compute = 512 * 4 * (SHAPE.vocabulary + SHAPE.width) / MIB
    splits = [split_at(FACTS, spec(n_ctx=2048), it) for it in range(len(FACTS.layers) + 1)]
    assert splits[0].gpu_mib == 0
    assert splits[0].main_mib == pytest.approx(FACTS.bytes / MIB + cache)
    for split in splits[1:]:
        assert split.gpu_mib + split.main_mib == pytest.approx(splits[0].main_mib + compute)
    assert splits[-1].gpu_mib == pytest.approx(sum(FACTS.layers) / MIB + cache + compute)
    assert all(more.gpu_mib > less.gpu_mib for less, more in pairwise(splits))


def test_a_quantized_cache_takes_less_of_the_gpu() -> None:
    plain = split_at(FACTS, spec(n_ctx=2048), 5).gpu_mib
    small = spec(n_ctx=2048, cache_type_k="q4_0", cache_type_v="q4_0")
    assert split_at(FACTS, small, 5).gpu_mib < plain - 2.8


def test_what_is_free_bounds_the_layers_from_above() -> None:
    needs = [split_at(FACTS, spec(), it).gpu_mib for it in range(len(FACTS.layers) + 1)]
    for most, need in enumerate(needs):
        assert bounds_of(FACTS, spec(), gpu(need + 0.001), PLENTY).most == most
    found = bounds_of(FACTS, spec(), gpu(0.0), PLENTY)
    assert (found.least, found.most) == (0, 0)
    assert found.why == (f"1 take about {needs[1]:.0f} MiB, and 0 are free in a GPU",)
    assert bounds_of(FACTS, spec(), None, PLENTY).most == len(FACTS.layers)


def test_what_is_wanted_bounds_them_where_more_is_free() -> None:
    wants = spec(offload=OffloadTargets(vram_gib=0.001))
    found = bounds_of(FACTS, wants, gpu(1e6), PLENTY)
    assert found.most == 0
    assert found.why[0].endswith("and 1 are wanted at most")


def test_main_memory_bounds_them_from_below_as_long_as_they_fit_the_gpu() -> None:
    needs = [split_at(FACTS, spec(), it) for it in range(len(FACTS.layers) + 1)]
    little = FreeMemory("main memory", needs[2].main_mib + 0.001, on_gpu=False)
    found = bounds_of(FACTS, spec(), gpu(1e6), little)
    assert (found.least, found.most) == (2, len(FACTS.layers))
    assert "1 leave about" in found.why[0]
    squeezed = bounds_of(FACTS, spec(), gpu(needs[1].gpu_mib + 0.001), little)
    assert (squeezed.least, squeezed.most) == (1, 1)  # tried, as it would be without a search


def test_arguments_that_place_weights_leave_it_to_the_loads() -> None:
    found = bounds_of(FACTS, spec(server_args=("--n-cpu-moe", "4")), gpu(0.0), PLENTY)
    assert (found.least, found.most) == (0, len(FACTS.layers))
