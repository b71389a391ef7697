"""`orket bench`: what measuring and judging cost, and whether two providers agree."""

from __future__ import annotations

import argparse

from orket_lib.commands import bench_client, bench_providers, bench_sandbox

_SUBJECTS = {
    "client": (bench_client, "what the client and the sampler add to what they measure"),
    "providers": (bench_providers, "whether two providers serve a file alike"),
    "sandbox": (bench_sandbox, "what judging one example of a model's code costs"),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command, which are those of its subject."""
    subjects = parser.add_subparsers(dest="subject", required=True, metavar="subject")
    for name, (module, summary) in _SUBJECTS.items():
        subject = subjects.add_parser(name, help=summary, description=f"{summary.capitalize()}.")
        module.add_arguments(subject)
        subject.set_defaults(bench=module.run)


def run(options: argparse.Namespace) -> int:
    """Bench the subject."""
    return int(options.bench(options))
