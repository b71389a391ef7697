"""`orket quantize`: make a quant of a model file with llama.cpp's `llama-quantize`."""

from __future__ import annotations

import argparse
from pathlib import Path

from orket_lib.artifacts.io import write_model
from orket_lib.commands._common import add_log, provenance, tell
from orket_lib.processes.snakemake_watchdog import die_with_snakemake
from orket_lib.providers.gguf.file import bits_of_weight
from orket_lib.providers.gguf.quantize import QuantizeRequest, quantize
from orket_lib.telemetry.allowance.cpus import cpu_allowance
from orket_lib.vocabulary.quants import normalize_tag
from orket_lib.vocabulary.units import MIB

EXAMPLES = ("orket quantize --base nano-F16.gguf --quant Q4_K_M --out nano-Q4_K_M.gguf",)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    add = parser.add_argument
    add("--base", type=Path, required=True, help="unquantized GGUF file (F32, F16 or BF16)")
    add("--base-sha256", help="refuse a base with another SHA-256")
    add("--quant", type=normalize_tag, required=True, help="quant to make, such as Q4_K_M")
    add("--imatrix", type=Path, help="importance matrix")
    add("--imatrix-sha256", help="refuse a matrix with another SHA-256")
    add("--binary", default="llama-quantize", help="program or path (default: %(default)s)")
    add("--allow-requantize", action="store_true", help="allow a base that is quantized already")
    add("--threads", type=int, default=cpu_allowance().workers, help="default: %(default)s")
    add(
        "--out", type=Path, required=True, help="file to write; an existing one is checked and kept"
    )
    add_log(parser)


def run(options: argparse.Namespace) -> int:
    """Make the file, unless it exists."""
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
            f"{options.out.as_posix()}: {made.bytes / MIB:.0f} MiB, "
            f"{bits_of_weight(made.bits_per_weight)}, in {made.seconds:.1f} s"
        )
    return 0
