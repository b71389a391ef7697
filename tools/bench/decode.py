"""Decode rates beside llama.cpp's own `llama-bench`, at the same depth, threads and context.

All take turns, several times, so that a machine that becomes faster or slower does so for all. What
our probes ask of a server is a chat; a plain completion of the same length shows how much of the
difference is the chat's, and a server that is a program how much is the embedded module's.
"""

from __future__ import annotations

import json
import statistics
import tempfile
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path

from agreement import decode_clock, decode_rate, way
from overhead import Estimate
from programs import NotRun, cost, program
from tables import Table

from orket_lib.measure.speed.probe_prompts import FULL, ProbeMaker
from orket_lib.providers.base import Model
from orket_lib.providers.registry import provider_for
from orket_lib.providers.wire.http import HttpServer
from orket_lib.telemetry.allowance.cpus import cpu_allowance
from orket_lib.vocabulary.rates import DecodeClock, decode_intervals


def decode(models: list[Path], folder: Path | None, rounds: int) -> Table:
    """Return the decode rates of each file, held against llama-bench's.

    Args:
        models: GGUF files; none has no rows.
        folder: With `llama-bench` and `llama-server`, as `.ci/build_llama_server` makes it.
        rounds: In each of them, all take their turn once.
    """
    head = ("file", "served by", "decode rate", "of llama-bench", "95 % interval")
    try:
        bench = program(folder and folder / "llama-bench", "--llama")
        server = program(folder and folder / "llama-server", "--llama")
    except NotRun as error:
        return Table("Decoding", head, (), (f"not run: {error}",))
    rows: list[tuple[str, ...]] = []
    for model in map(Path.absolute, models):
        rates = _rates(model, bench, server, rounds)
        plain = rates["llama-bench"]
        for name, found in rates.items():
            of = Estimate.of([it / base for it, base in zip(found, plain, strict=True)])
            interval = f"{of.low:.3f} to {of.high:.3f}"
            rate = f"{statistics.median(found):.0f} tokens/s"
            rows.append((model.name, name, rate, f"{of.median:.3f}", interval))
    depth = f"{FULL.output_tokens} tokens after {FULL.prompt_tokens}, {thread_count()} threads."
    return Table("Decoding", head, tuple(rows), (depth,))


def thread_count() -> int:
    """Return the threads that all programs are given."""
    return cpu_allowance().threads


def _rates(model: Path, bench: Path, server: Path, rounds: int) -> dict[str, list[float]]:
    ways = {
        "embedded": way("embedded", model, "", threads=thread_count()),
        "llama-server": way("llama_server", model, str(server), threads=thread_count()),
    }
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        turns: dict[str, Callable[[], float]] = {
            "llama-bench": lambda: _benched(bench, model, folder)
        }
        for name, it in ways.items():
            serving = provider_for(it.spec.provider).serve(it.spec, it.source, folder / name)
            served = stack.enter_context(serving)
            turns |= _turns_of(name, served, ProbeMaker(served, it.spec))
        for turn in turns.values():
            turn()  # warm-up
        found: dict[str, list[float]] = {name: [] for name in turns}
        for number in range(rounds):
            names = list(turns)
            for name in names if number % 2 else reversed(names):
                found[name].append(turns[name]())
    return found


def _turns_of(name: str, model: Model, maker: ProbeMaker) -> dict[str, Callable[[], float]]:
    clock = decode_clock(model, maker)
    return {
        name: lambda: decode_rate(model, maker, clock),
        f"{name}, plain completion": lambda: _completion(model, maker, clock),
    }


def _benched(bench: Path, model: Path, folder: Path) -> float:
    lengths = ["-p", "0", "-n", str(FULL.output_tokens), "-d", str(FULL.prompt_tokens)]
    counts = ["-t", str(thread_count()), "-ngl", "0", "-r", "1"]
    said = cost([bench, "-m", model, *lengths, *counts, "-o", "json"], folder).said
    (result,) = json.loads(said[said.index("[\n") :])
    return float(result["avg_ts"])


def _completion(model: Model, maker: ProbeMaker, clock: DecodeClock | None) -> float:
    """Return the rate of a completion without a template, by the server's clock."""
    request = maker.request()
    body = {"prompt": request.prompt, "n_predict": FULL.output_tokens, "ignore_eos": True}
    body |= {"temperature": 0, "cache_prompt": False}
    with closing(HttpServer(model.address.base_url, model.address.api_key)) as server:
        answer = server.call("POST", "/completion", body, request.timeout_s)
    timings = answer["timings"]
    tokens = decode_intervals(timings["predicted_n"], clock or "prompt_end")
    return 1000 * tokens / float(timings["predicted_ms"])
