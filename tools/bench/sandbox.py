"""What grading one example of a model's code costs."""

from __future__ import annotations

import argparse
import statistics
import time

from orket_lib.artifacts.measurements.spec import WITH_WALLS
from orket_lib.commands._common import print_json, tell
from orket_lib.sandbox.detect import Unavailable, find_sandbox
from orket_lib.sandbox.examples import Call, call_examples
from orket_lib.sandbox.jobs import Sandbox

_FEWEST = 3


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the subject."""
    parser.add_argument("--answers", type=_answers, default=30, help="answers of each kind")
    parser.add_argument("--json", action="store_true", help="print as JSON")


def _answers(text: str) -> int:
    answers = int(text)
    if answers < _FEWEST:
        raise argparse.ArgumentTypeError(f"at least {_FEWEST}, for a median")
    return answers


def run(options: argparse.Namespace) -> int:
    """Measure and print what one graded example costs in each sandbox that works here."""
    found = {}
    for kind in WITH_WALLS:
        sandbox = find_sandbox((kind,))
        if isinstance(sandbox, Unavailable):
            tell(f"tools/bench sandbox: {sandbox.reason}")
            continue
        for examples in (1, 4):
            costs = measure_cost(sandbox, options.answers, examples)
            found[kind, examples] = [1000 * cost for cost in costs]
    if options.json:
        rows = [
            {"sandbox": kind, "examples": examples, "ms_per_example": costs}
            for (kind, examples), costs in found.items()
        ]
        print_json({"costs": rows})
        return 0 if rows else 1
    for (kind, examples), costs in found.items():
        print(
            f"{kind:<12} answers with {examples} example(s): median {statistics.median(costs):.1f}"
            f" ms per example, {min(costs):.1f} to {max(costs):.1f} ({len(costs)} answers)"
        )
    return 0 if found else 1


def measure_cost(sandbox: Sandbox, repeats: int, examples: int = 4) -> list[float]:
    """Return the seconds that one graded example costs, for each of several sources.

    Args:
        sandbox: What is measured.
        repeats: How many sources.
        examples: How many calls there are of each.
    """
    calls = [Call((number, 1)) for number in range(examples)]
    costs = []
    for _ in range(repeats):
        begin = time.perf_counter()
        call_examples(sandbox, "def add(a, b):\n    return a + b\n", "add", calls)
        costs.append((time.perf_counter() - begin) / examples)
    return costs
