"""`orket kld`: compare the probabilities of a model's quants with those of the baseline."""

from __future__ import annotations

import argparse
from pathlib import Path

from orket_lib.analysis.fidelity.kld_of_model import kld_of
from orket_lib.artifacts.io import read_model, write_model
from orket_lib.artifacts.measurements.next_tokens import NextTokens
from orket_lib.artifacts.views.kld import FidelityReceipt
from orket_lib.commands._common import add_out, stamp
from orket_lib.stores.attempts import read_taken

EXAMPLES = ("orket kld --receipt receipt.json --out kld.json",)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--receipt", type=Path, required=True, help="of the measurement")
    add_out(parser, "view")


def run(options: argparse.Namespace) -> int:
    """Read, compare, write."""
    receipt = read_model(options.receipt, FidelityReceipt)
    measured = [read_taken(part, NextTokens) for part in receipt.parts]
    inputs = [options.receipt, *(Path(part.path) for part in receipt.parts)]
    write_model(options.out, kld_of(receipt, measured, stamp(inputs)))
    return 0
