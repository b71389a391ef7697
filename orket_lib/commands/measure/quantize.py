"""`orket quantize`: make a quant of a model file with llama.cpp's `llama-quantize`."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from orket_lib.commands._common import add_log, provenance, tell


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    from orket_lib.vocabulary.quants import normalize_tag

    parser.add_argument("--base", type=Path, required=True, help="GGUF file with all its bits")
    parser.add_argument("--base-sha256", help="that it must have")
    parser.add_argument("--quant", type=normalize_tag, required=True, help="such as Q4_K_M")
    parser.add_argument("--imatrix", type=Path, help="importance matrix")
    parser.add_argument("--imatrix-sha256", help="that it must have")
    parser.add_argument("--binary", default="llama-quantize", help="the program (default: in PATH)")
    parser.add_argument(
        "--allow-requantize", action="store_true", help="let the base be quantized already"
    )
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument(
        "--out", type=Path, required=True, help="the file; one that is there is looked at and kept"
    )
    add_log(parser)


def run(options: argparse.Namespace) -> int:
    """Make the file, unless it is there."""
    from orket_lib.artifacts.io import write_model
    from orket_lib.processes.snakemake_watchdog import die_with_snakemake
    from orket_lib.providers.gguf.quantize import QuantizeRequest, quantize

    die_with_snakemake()
    request = QuantizeRequest(
        quant_tag=options.quant,
        base=options.base,
        base_sha256=options.base_sha256,
        imatrix=options.imatrix,
        imatrix_sha256=options.imatrix_sha256,
        binary=options.binary,
        threads=options.threads,
        allow_requantize=options.allow_requantize,
    )
    made = quantize(request, options.out, tell, provenance())
    if made:
        write_model(options.out.with_suffix(".json"), made)
        tell(
            f"{options.out.as_posix()}: {made.bytes / 1024**2:.0f} MiB, "
            f"{made.bits_per_weight:.2f} bits per weight, in {made.seconds:.1f} s"
        )
    return 0
