"""`orket start`: note when a sweep with a budget begins."""

from __future__ import annotations

import argparse

from orket_lib.artifacts.io import write_model
from orket_lib.artifacts.views.look import Started
from orket_lib.commands._common import add_out
from orket_lib.vocabulary.clock import utc_now

EXAMPLES = ("orket start --out started.json",)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    add_out(parser, "time of the start")


def run(options: argparse.Namespace) -> int:
    """Write the current time."""
    write_model(options.out, Started(started_at=utc_now()))
    return 0
