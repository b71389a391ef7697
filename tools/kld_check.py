"""Whether our KL divergence is that of `llama-perplexity --kl-divergence`.

    python tools/kld_check.py --perplexity-binary BUILD/llama-perplexity [MODEL.gguf...]

The first file is the baseline; by default these are the quants of the reference model. Both tools
measure the same windows of the same text. Also prints how far lists of the most probable tokens are
below the whole vocabulary, and the time of a place as a multiple of that of the same request by
`http.client`; without a binary only these two. Exits with 1 if mean KLD or same top differ by more
than a tenth and than both noise floors together, if the quants are ordered differently, or if a
place takes too long.
"""

from __future__ import annotations

import argparse
import http.client
import json
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from embedded_model import served

from orket_lib.analysis.fidelity.kld import compare, places_of
from orket_lib.artifacts.measurements.next_tokens import TokenBlock, TokenSample
from orket_lib.artifacts.views.kld import Divergence
from orket_lib.measure.fidelity.blocks import Block, blocks_of
from orket_lib.measure.fidelity.measurement import ask_block
from orket_lib.providers.llama_cpp.scorer import LlamaScorer

REFERENCE = ("F16", "Q8_0", "Q6_K", "Q5_K_M", "Q4_K_M", "Q3_K_M", "Q2_K")
TOLERANCE = 0.1
LISTS = (10, 20, 40)
MOST_OVERHEAD = 1.3
_COST_BLOCKS, _COST_REPEATS = 2, 5
_TRIES = 5
_FIGURES = {
    "mean": re.compile(r"^Mean\s+KLD:\s*(\S+)", re.MULTILINE),
    "median": re.compile(r"^Median\s+KLD:\s*(\S+)", re.MULTILINE),
    "p99": re.compile(r"^99\.0%\s+KLD:\s*(\S+)", re.MULTILINE),
    "maximum": re.compile(r"^Maximum KLD:\s*(\S+)", re.MULTILINE),
    "same_top": re.compile(r"^Same top p:\s*(\S+)", re.MULTILINE),
}
# It only logs these, and goes on with numbers that mean nothing.
_FATAL = re.compile(r"inconsistent vocabulary|has been computed with|failed (reading|to decode)")


@dataclass(frozen=True)
class Figures:
    """One quant by one tool; `same_top` is a share."""

    mean: float
    median: float
    p99: float
    maximum: float
    same_top: float


def main() -> int:
    """Measure with both tools, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    folder = Path("models/orket-nano")
    files = [folder / f"orket-nano-{quant}.gguf" for quant in REFERENCE]
    parser.add_argument("models", nargs="*", type=Path, default=files)
    parser.add_argument("--perplexity-binary", metavar="PROGRAM")
    parser.add_argument("--text", type=Path, default=Path("config/fidelity_text.txt"))
    parser.add_argument("--windows", type=int, default=33, help="default: %(default)s")
    parser.add_argument("--window-tokens", type=int, default=128, help="default: %(default)s")
    options = parser.parse_args()
    sample = TokenSample(windows=options.windows, window_tokens=options.window_tokens)
    text = options.text.read_text(encoding="utf-8")
    blocks: dict[str, list[TokenBlock]] = {}
    started = time.monotonic()
    for path in (options.models[0], *options.models):
        name = path.stem if path.stem not in blocks else f"{path.stem} again"
        with served(path) as model, ExitStack() as stack:
            scorer = model.scorer(600.0)
            assert isinstance(scorer, LlamaScorer)
            stack.enter_context(closing(scorer))
            whole = scorer.vocabulary or sample.listed
            asked = list(blocks_of(scorer, (), text, sample))
            blocks[name] = [ask_block(scorer, block, whole) for block in asked]
            print(f"{name}: after {time.monotonic() - started:.0f} s", flush=True)
            if len(blocks) == 1:
                overhead = cost(scorer, asked)
    places = sum(block.positions for block in blocks[name])
    print(f"{places} places in {len(asked)} windows\n")
    baseline, *names = blocks
    print(*bias(blocks, names[1:]), sep="\n")
    print(f"\ntime of a place / time of the same request by http.client: {overhead:.2f}\n")
    fine = overhead <= MOST_OVERHEAD
    if options.perplexity_binary:
        ours = {name: compare(blocks[baseline], blocks[name]) for name in names}
        theirs = dict(zip(names, by_llama_cpp(options), strict=True))
        agree = [agreement(name, ours, theirs, names[0]) for name in names]
        print("quant, mean KLD and same top: ours, llama-perplexity")
        print(*(line for line, _ in agree), sep="\n")
        one, other = (
            sorted(names[1:], key=lambda name: each[name].mean or 0.0) for each in (ours, theirs)
        )
        print(f"ordered equally: {one == other}")
        fine &= all(ok for _, ok in agree) and one == other
    return 0 if fine else 1


def by_llama_cpp(options: argparse.Namespace) -> Iterator[Figures]:
    """Yield the figures of each file by `llama-perplexity`; the first is the noise floor."""
    with tempfile.TemporaryDirectory() as folder:
        base = str(Path(folder, "base.kld"))
        window = str(options.window_tokens)
        common = [options.perplexity_binary, "-f", str(options.text), "--no-escape", "-t", "1"]
        common += ["-c", window, "-b", window, "--chunks", str(options.windows)]
        common += ["--kl-divergence-base", base]
        output_of([*common, "-m", str(options.models[0])])
        for path in options.models:
            command = [*common, "-m", str(path), "--kl-divergence"]
            for _ in range(_TRIES):
                # A thread of its own prints; on a busy machine the program may end before it does.
                said = output_of(command)
                if _FIGURES["same_top"].search(said):
                    break
            yield read_figures(said)


def output_of(command: Sequence[str]) -> str:
    """Return what a program prints; a failure of it ends the check."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    said = done.stdout + done.stderr
    if done.returncode or _FATAL.search(said):
        sys.exit(f"{command[0]}: exit status {done.returncode}\n{said[-2000:]}")
    return said


def read_figures(output: str) -> Figures:
    """Return the figures that `llama-perplexity --kl-divergence` prints."""
    found = {name: pattern.search(output) for name, pattern in _FIGURES.items()}
    missing = [name for name, match in found.items() if match is None]
    if missing:
        sys.exit(f"llama-perplexity printed no {', '.join(missing)}:\n{output[-2000:]}")
    values = {name: float(match[1]) for name, match in found.items() if match}
    return Figures(**{**values, "same_top": values["same_top"] / 100})


def agreement(
    name: str, ours: Mapping[str, Divergence], theirs: Mapping[str, Figures], floor: str
) -> tuple[str, bool]:
    """Return a line about a quant, and whether the tools agree.

    Args:
        name: Of the quant.
        ours: Our figures.
        theirs: Those of `llama-perplexity`.
        floor: Name of the baseline that was measured again.
    """
    one, other = ours[name], theirs[name]
    assert one.mean is not None and one.same_top is not None
    noise = [abs(each[floor].mean or 0.0) for each in (ours, theirs)]
    tops = [1 - (each[floor].same_top or 0.0) for each in (ours, theirs)]
    fine = abs(one.mean - other.mean) <= max(TOLERANCE * other.mean, sum(noise))
    fine &= abs(one.same_top - other.same_top) <= max(TOLERANCE * other.same_top, sum(tops))
    mean = f"{one.mean:.6f} {other.mean:.6f}"
    return (
        f"{name:<24}{mean:<20}{one.same_top:.4f} {other.same_top:.4f}  median {one.median:.6f} "
        f"{other.median:.6f}  99 % {one.p99:.5f} {other.p99:.5f}  maximum {one.maximum:.4f} "
        f"{other.maximum:.4f}{'' if fine else '  DIFFERENT'}",
        fine,
    )


def bias(blocks: Mapping[str, Sequence[TokenBlock]], names: Sequence[str]) -> Iterator[str]:
    """Yield how far lists are below the whole vocabulary, for each quant and length."""
    baseline = next(iter(blocks))
    yield "mean KLD of lists / of the whole vocabulary, and the merged share, by length k"
    for name in names:
        whole = compare(blocks[baseline], blocks[name]).mean or 0.0
        cells = []
        for most in LISTS:
            pair = ([cut(it, 2 * most) for it in blocks[each]] for each in (baseline, name))
            found = compare(*pair)
            assert found.metric == f"kld_topk{most}" and found.mean is not None
            cells.append(f"{most}: {found.mean / whole:.3f} ({found.merged_share:.4f})")
        yield f"{name:<24}{'   '.join(cells)}"


def cut(block: TokenBlock, listed: int) -> TokenBlock:
    """Return a block with the most probable tokens only, as a server would list them."""
    places = [dict(islice(place.items(), listed)) for place in places_of(block)]
    fields = block.model_dump(exclude={"tokens", "logprobs", "positions"})
    tokens = [tuple(place) for place in places]
    return TokenBlock.of([list(place.values()) for place in places], **fields, tokens=tokens)


def cost(scorer: LlamaScorer, blocks: Sequence[Block]) -> float:
    """Return our wall time of a place, divided by that of the same request by `http.client`.

    Of several times for the same block the shortest counts: longer ones are those of other programs
    on the machine.
    """
    address, key = scorer.address.base_url, scorer.address.api_key
    listed = scorer.vocabulary or 1
    connection = http.client.HTTPConnection(address.removeprefix("http://"), timeout=600)
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {key}"}
    ours: list[float] = []
    plain: list[float] = []
    for block in [*blocks[:_COST_BLOCKS]] * _COST_REPEATS:
        begin = time.perf_counter()
        ask_block(scorer, block, listed)
        middle = time.perf_counter()
        connection.close()  # the server has done so, after seconds without a request
        for end in range(block.first, len(block.pieces)):
            body = {
                "prompt": list(block.pieces[:end]),
                "n_predict": 1,
                "n_probs": listed,
                "temperature": 0,
                "cache_prompt": True,
            }
            connection.request("POST", "/completion", json.dumps(body), headers)
            json.loads(connection.getresponse().read())
        ours.append(middle - begin)
        plain.append(time.perf_counter() - middle)
    connection.close()
    return min(ours) / min(plain)


if __name__ == "__main__":
    sys.exit(main())
