"""What the client and the sampler add to what they measure."""

from __future__ import annotations

import argparse
import dataclasses
import tempfile
from pathlib import Path

from overhead import client_overhead, sampler_overhead

from orket_lib.artifacts.measurements.spec import (
    ArtifactIdentity,
    ControlSettings,
    MeasurementSpec,
    TaskSelection,
)
from orket_lib.commands._common import print_json, tell
from orket_lib.config.shipped import located
from orket_lib.processes.device_lock import device_lock
from orket_lib.providers.base import Source
from orket_lib.providers.gguf.file import model_sha256
from orket_lib.telemetry.fingerprint import hardware_fingerprint

_FEWEST_PAIRS = 6
_MODEL = Path("models/orket-nano/orket-nano-Q4_K_M.gguf")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the subject."""
    parser.add_argument("--pairs", type=_pairs, default=1000, help="client: pairs of streams")
    parser.add_argument(
        "--generations", type=_pairs, default=700, help="sampler: pairs of generations"
    )
    parser.add_argument(
        "--model", type=Path, default=_MODEL, help="GGUF file for the sampler's part"
    )
    parser.add_argument("--json", action="store_true", help="print as JSON")


def _pairs(text: str) -> int:
    pairs = int(text)
    if pairs < _FEWEST_PAIRS:
        raise argparse.ArgumentTypeError(f"at least {_FEWEST_PAIRS}, for a 95 % interval")
    return pairs


def run(options: argparse.Namespace) -> int:
    """Measure and print what the client and the sampler add."""
    model = located(options.model)
    spec = MeasurementSpec(
        model_id=model.stem,
        quant_tag="",
        provider="embedded",
        artifact=ArtifactIdentity(sha256=model_sha256(model)),
        n_ctx=2048,
        temperature=0,
        max_output_tokens=128,
        task_timeout_sec=60,
        controls=ControlSettings(seed=7, threads=1),
        tasks=TaskSelection(bank_id="", ids=(), sha256=""),
        machine=hardware_fingerprint(),
    )
    with device_lock("cpu", "tools/bench client", tell), tempfile.TemporaryDirectory() as folder:
        client = client_overhead(options.pairs)
        sampler = sampler_overhead(spec, Source(model), Path(folder), options.generations)
    if options.json:
        print_json({"client": dataclasses.asdict(client), "sampler": dataclasses.asdict(sampler)})
        return 0
    rows = (
        ("client adds to TTFT", client.ttft_ms, client.pairs, "{:+.3f} ms"),
        ("client adds to a chunk", client.chunk_ms, client.pairs, "{:+.4f} ms"),
        ("sampler adds to decode", sampler.decode_ratio, sampler.pairs, "{:+.2%}"),
    )
    for name, value, pairs, form in rows:
        low, high = form.format(value.low), form.format(value.high)
        print(
            f"{name:<24} median {form.format(value.median)}, 95 % interval {low} to {high}"
            f" ({pairs} pairs)"
        )
    return 0
