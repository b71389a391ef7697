"""What measuring and judging cost, and whether two providers agree.

    python tools/bench client | performance | providers | sandbox [OPTIONS]

Exit codes are those of `orket`: 1 could not run, 2 wrong usage, 3 the two differ too much.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

import client
import performance
import providers
import sandbox

from orket_lib.vocabulary.errors import OrketError

_SUBJECTS = {
    "client": (client, "what the client and the sampler add to what they measure"),
    "performance": (performance, "the tables of docs/PERFORMANCE.md"),
    "providers": (providers, "whether two providers serve a file alike"),
    "sandbox": (sandbox, "what grading one example of a model's code costs"),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Bench one subject and return the exit code."""
    parser = argparse.ArgumentParser(prog="tools/bench", description=__doc__.splitlines()[0])
    subjects = parser.add_subparsers(dest="subject", required=True, metavar="subject")
    for name, (module, summary) in _SUBJECTS.items():
        subject = subjects.add_parser(name, help=summary, description=f"{summary.capitalize()}.")
        module.add_arguments(subject)
        subject.set_defaults(run=module.run)
    options = parser.parse_args(argv)
    try:
        return int(options.run(options))
    except (OrketError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
