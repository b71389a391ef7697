"""What the commands share: options, provenance, and console output."""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from orket_lib import __version__
from orket_lib.artifacts.base import InputFile, Provenance
from orket_lib.artifacts.io import sha256_of_file
from orket_lib.sweep.git_state import checkout_state
from orket_lib.vocabulary.clock import utc_now


def add_out(parser: argparse.ArgumentParser, help_text: str) -> None:
    """Add `--out` and the `--log` that a rule gives."""
    parser.add_argument("--out", type=Path, required=True, help=help_text)
    add_log(parser)


def add_log(parser: argparse.ArgumentParser) -> None:
    """Add `--log`: where an error message is kept beside the terminal."""
    parser.add_argument("--log", type=Path, help="also keep the error message in this file")


def finite(text: str) -> float:
    """Return the number that an option is given."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise argparse.ArgumentTypeError(f"must be a number (got {text!r:.80})")
    return value


def tell(text: str) -> None:
    """Print a line for the person at the terminal; standard output is for results."""
    print(text, file=sys.stderr)  # noqa: T201


def print_json(value: BaseModel | Mapping[str, Any]) -> None:
    """Print a result as JSON on standard output."""
    content = value.model_dump(mode="json") if isinstance(value, BaseModel) else value
    print(json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False))  # noqa: T201


def provenance(
    inputs: Iterable[Path] = (), ref: str = "local-run:manual", config_sha256: str | None = None
) -> Provenance:
    """Return where an artifact made now, from these files, comes from."""
    commit_sha, dirty = checkout_state()
    return Provenance(
        ref=ref,
        commit_sha=commit_sha,
        dirty=dirty,
        config_sha256=config_sha256,
        inputs=[InputFile(path=path.as_posix(), sha256=sha256_of_file(path)) for path in inputs],
        versions={"orket-quant-sweep": __version__},
    )


def stamp(
    inputs: Iterable[Path] = (), ref: str = "local-run:manual", config_sha256: str | None = None
) -> dict[str, Any]:
    """Return the fields that every artifact begins with."""
    return {
        "generated_at": utc_now(),
        "provenance": provenance(inputs, ref, config_sha256),
    }
