"""Whether types of the KV cache are served as asked, take what is computed, and cost what is known.

    python tools/kv_check.py [--n-ctx 16384] [MODEL.gguf...]

Serves each file with a KV cache of f16, q8_0 and q4_0 by the embedded llama.cpp; by default these
are three quants of the reference model. Prints the types and the size that the server logs beside
the size by the file's header, how much more memory the process takes than with a context of 256,
and the KL divergence from the same file with f16. Exits with 1 if a type is not the one that was
asked for, if a size is off by more than 2 %, if memory is off by more than 20 % where the cache is
large enough to see, or if the divergences are not ordered q4_0 > q8_0 > f16 again.
"""

from __future__ import annotations

import argparse
import sys
from contextlib import closing
from pathlib import Path

import psutil
from embedded_model import served

from orket_lib.analysis.fidelity.kld import compare
from orket_lib.artifacts.measurements.next_tokens import TokenBlock, TokenSample
from orket_lib.artifacts.measurements.serving import KvCache
from orket_lib.artifacts.measurements.spec import (
    CacheType,
)
from orket_lib.measure.fidelity.blocks import blocks_of
from orket_lib.measure.fidelity.measurement import ask_block
from orket_lib.providers.base import Model
from orket_lib.vocabulary.units import MIB

REFERENCE = ("Q8_0", "Q4_K_M", "Q2_K")
TYPES: tuple[CacheType, ...] = ("f16", "q8_0", "q4_0")
MOST_OFF, MOST_RSS_OFF = 0.02, 0.2
_SEEN_MIB = 64.0  # a smaller cache is lost in what else a process allocates
_SMALL = 256


def main() -> int:
    """Serve each file with each type, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    folder = Path("models/orket-nano")
    files = [folder / f"orket-nano-{quant}.gguf" for quant in REFERENCE]
    parser.add_argument("models", nargs="*", type=Path, default=files)
    parser.add_argument("--text", type=Path, default=Path("config/fidelity_text.txt"))
    parser.add_argument("--n-ctx", type=int, default=2048, help="default: %(default)s")
    parser.add_argument("--windows", type=int, default=8, help="default: %(default)s")
    options = parser.parse_args()
    sample = TokenSample(windows=options.windows, window_tokens=128)
    text = options.text.read_text(encoding="utf-8")
    print("file, asked: K and V, logged MiB, computed MiB, memory MiB, mean KLD, same top")
    fine = True
    for path in options.models:
        baseline: list[TokenBlock] = []
        divergences = []
        for kind in (*TYPES, "f16"):
            blocks, cache, memory = measured(path, kind, options.n_ctx, text, sample)
            baseline = baseline or blocks
            found = compare(baseline, blocks)
            divergences.append(found.mean or 0.0)
            right = is_right(kind, cache, memory)
            fine &= right
            shown = "nothing" if cache is None else _shown(cache)
            print(
                f"{path.stem}, {kind}: {shown}, {memory:.1f}, {found.mean:.6f}, "
                f"{found.same_top:.4f}{'' if right else '  WRONG'}",
                flush=True,
            )
        _, small, large, floor = divergences
        ordered = large > small > floor
        print(f"{path.stem}: q4_0 > q8_0 > f16 again: {ordered}")
        fine &= ordered
    return 0 if fine else 1


def is_right(asked: str, cache: KvCache | None, memory_mib: float) -> bool:
    """Tell whether a cache is what was asked for, and takes what is computed."""
    if cache is None or cache.computed_mib is None or {cache.type_k, cache.type_v} != {asked}:
        return False
    off = abs(cache.mib - cache.computed_mib) / cache.computed_mib
    less = cache.mib * (1 - _SMALL / cache.cells)
    return off <= MOST_OFF and (less < _SEEN_MIB or abs(memory_mib - less) <= MOST_RSS_OFF * less)


def measured(
    path: Path, kind: CacheType, n_ctx: int, text: str, sample: TokenSample
) -> tuple[list[TokenBlock], KvCache | None, float]:
    """Return the probabilities, the cache, and its MiB of memory beyond a small context's."""
    with served(path, _SMALL, kind) as model:
        before = _rss_mib(model)
    with served(path, n_ctx, kind) as model:
        memory = _rss_mib(model) - before
        scorer = model.scorer(600.0)
        assert scorer is not None
        with closing(scorer):
            whole = scorer.vocabulary or sample.listed
            asked = blocks_of(scorer, (), text, sample)
            blocks = [ask_block(scorer, block, whole) for block in asked]
        return blocks, model.served.kv_cache, memory


def _rss_mib(model: Model) -> float:
    process = psutil.Process(model.pid)
    total: int = sum(it.memory_info().rss for it in (process, *process.children(recursive=True)))
    return total / MIB


def _shown(cache: KvCache) -> str:
    computed = "unknown" if cache.computed_mib is None else f"{cache.computed_mib:.2f}"
    return f"{cache.type_k} and {cache.type_v}, {cache.mib:.2f}, {computed}"


if __name__ == "__main__":
    sys.exit(main())
