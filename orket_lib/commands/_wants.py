"""`--want NAME=NUMBER`: a limit for the recommended quant, on the command line."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Sequence

from orket_lib.config.sections.thresholds import misfit
from orket_lib.vocabulary.errors import ConfigError
from orket_lib.vocabulary.statuses import WantName
from orket_lib.vocabulary.text import listed
from orket_lib.vocabulary.validation import nearest, shown

_EXAMPLE = "decode_tps=30"


def add_want(parser: argparse.ArgumentParser) -> None:
    """Add `--want`."""
    parser.add_argument(
        "--want",
        action="append",
        default=[],
        metavar="NAME=NUMBER",
        help=f"what a quant has to meet, such as {_EXAMPLE}; names: {', '.join(WantName)}; "
        "overrides the same want of the config; may be repeated",
    )


def read_wants(texts: Sequence[str]) -> dict[WantName, float]:
    """Return the limits that were typed.

    Args:
        texts: `NAME=NUMBER` each.

    Raises:
        ConfigError: One line for each mistake.
    """
    pairs = [
        (name.strip(), limit.strip()) for name, _, limit in (it.partition("=") for it in texts)
    ]
    problems = [
        line for name, limit in pairs if (line := _problem(name, limit, f"--want {name}={limit}"))
    ]
    problems += [
        f"--want {name}: given {count} times; which one counts?"
        for name, count in Counter(name for name, _ in pairs).items()
        if count > 1
    ]
    if problems:
        raise ConfigError(list(dict.fromkeys(problems)))
    return {WantName(name): float(limit) for name, limit in pairs}


def _problem(name: str, limit: str, typed: str) -> str:
    if name not in list(WantName):
        hint = nearest(name, list(WantName)) or f"; there are {listed(list(WantName))}"
        return f"{typed.removesuffix('=')}: there is no such want{hint}"
    if not limit:
        return f"--want {name}: needs a number, as in --want {_EXAMPLE}"
    try:
        wrong = misfit(WantName(name), float(limit))
    except ValueError:
        wrong = "a number"
    return f"--want {name}: must be {wrong} (got {shown(limit)})" if wrong else ""
