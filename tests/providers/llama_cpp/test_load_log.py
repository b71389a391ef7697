"""What a server logs about its load is read back, and compared with what was asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from builders import spec

from orket_lib.providers.gguf.memory_estimate import ModelShape
from orket_lib.providers.llama_cpp.load_log import in_main_memory, kv_cache_in, load_readbacks

# SmolLM2-135M: 30 layers, 3 KV heads of 64.
SHAPE = ModelShape(30 * 3 * 64, 30 * 3 * 64, 576, 49152, 8192, upper_bound=False)
NEW = """\
0.00.001 I llama_context: constructing llama_context
0.00.002 I llama_kv_cache: size =  360.00 MiB ( 16384 cells,  30 layers,  1/1 seqs), \
K (f16):  180.00 MiB, V (f16):  180.00 MiB
0.00.010 I load_tensors: offloaded 31/31 layers to GPU
0.00.207 I llama_context: constructing llama_context
0.00.208 I llama_context: n_batch               = 1024
0.00.209 I llama_context: n_ubatch              = 256
0.00.210 I llama_context: flash_attn            = enabled
0.00.231 I llama_kv_cache: size =   36.56 MiB (  4096 cells,  30 layers,  1/1 seqs), \
K (q8_0):   23.91 MiB, V (q4_0):   12.66 MiB
"""
OLD = """\
llama_context: flash_attn    = auto
llama_kv_cache_unified: size =   90.00 MiB (  4096 cells,  30 layers,  1 seqs), \
K (f16):   45.00 MiB, V (f16):   45.00 MiB
llama_context: Flash Attention was auto, set to enabled
"""
CPU_ONLY = """\
0.00.007.420 I load_tensors:   CPU_Mapped model buffer size =     1.58 MiB
0.00.007.442 I load_tensors:   CPU_REPACK model buffer size =     0.60 MiB
"""
MAIN_MEMORY = (
    CPU_ONLY
    + """\
0.00.007.556 I llama_context:        CPU  output buffer size =     0.01 MiB
0.00.007.573 I llama_kv_cache:        CPU KV buffer size =     1.00 MiB
0.00.008.887 I sched_reserve:        CPU compute buffer size =     7.52 MiB
"""
)
ON_GPU = "0.00.008.880 I sched_reserve:      CUDA0 compute buffer size =   105.00 MiB\n"


def log(folder: Path, text: str) -> Path:
    path = folder / "server.log"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_cache_of_the_last_context_is_as_large_as_its_types_make_it(tmp_path: Path) -> None:
    found = kv_cache_in(log(tmp_path, NEW), SHAPE)
    assert found is not None
    assert (found.type_k, found.type_v, found.cells) == ("q8_0", "q4_0", 4096)
    assert found.mib == 36.56
    assert found.computed_mib == pytest.approx(36.5625)
    old = kv_cache_in(log(tmp_path, OLD), SHAPE)
    assert old is not None and (old.mib, old.computed_mib) == (90.0, 90.0)


def test_two_caches_add_up_and_are_not_computed(tmp_path: Path) -> None:
    line = OLD.splitlines()[1]
    found = kv_cache_in(log(tmp_path, f"{line}\n{line}\n"), SHAPE)
    assert found is not None and (found.mib, found.computed_mib) == (180.0, None)
    assert kv_cache_in(log(tmp_path, "nothing"), SHAPE) is None


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (MAIN_MEMORY, True),
        (MAIN_MEMORY + ON_GPU, False),
        (MAIN_MEMORY.replace("CPU KV", "Vulkan0 KV"), False),
        (CPU_ONLY, False),
        ("", False),
    ],
    ids=["main memory", "computed on a GPU", "cache on a GPU", "not the whole log", "no log"],
)
def test_a_server_is_in_main_memory_if_all_its_buffers_are(
    tmp_path: Path, text: str, found: bool
) -> None:
    assert in_main_memory(log(tmp_path, text)) is found


@pytest.mark.parametrize(
    ("text", "asked", "applied", "held"),
    [
        (NEW, {"cache_type_k": "q8_0"}, "q8_0", True),
        (NEW, {"cache_type_v": "q8_0"}, "q4_0", False),
        (NEW, {"flash_attn": "on"}, "on", True),
        (NEW, {"flash_attn": "off"}, "on", False),
        (OLD, {"flash_attn": "auto"}, "on", True),
        (NEW, {"batch_size": 1024}, "1024", True),
        (NEW, {"ubatch_size": 512}, "256", False),
        (NEW, {"gpu_layers": 99}, "31", True),
        (NEW, {"gpu_layers": 12}, "31", False),
        (OLD, {"gpu_layers": 12}, None, False),
        (CPU_ONLY, {"gpu_layers": 12}, "0", False),
        (CPU_ONLY, {"gpu_layers": 0}, "0", True),
        (CPU_ONLY + NEW, {"gpu_layers": 0}, "31", False),
        ("", {"cache_type_k": "q8_0"}, None, False),
    ],
)
def test_settings_are_read_back(
    tmp_path: Path, text: str, asked: dict[str, Any], applied: str | None, held: bool
) -> None:
    (found,) = load_readbacks(spec(**asked), log(tmp_path, text))
    assert (found.applied, found.held) == (applied, held)


def test_nothing_is_read_back_that_was_not_asked_for(tmp_path: Path) -> None:
    assert list(load_readbacks(spec(), log(tmp_path, NEW))) == []
