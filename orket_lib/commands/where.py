"""`orket where`: print the path of the Snakefile, for `snakemake -s` and `module:`."""

from __future__ import annotations

import argparse

from orket_lib.config.shipped import workflow_file

EXAMPLES = ("orket where",)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add no options."""


def run(options: argparse.Namespace) -> int:
    """Print the path of the Snakefile."""
    print(workflow_file())  # noqa: T201
    return 0
