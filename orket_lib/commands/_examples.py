"""Examples at the end of a command's help."""

from __future__ import annotations

import argparse
from collections.abc import Sequence


def add_examples(parser: argparse.ArgumentParser, examples: Sequence[str]) -> None:
    """Show the examples of this parser's command, or of its action, below the options."""
    own = [line for line in examples if f"{line} ".startswith(f"{parser.prog} ")]
    parser.epilog = "\n  ".join(["examples:", *own])
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
