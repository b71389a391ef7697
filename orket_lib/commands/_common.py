"""Options, provenance and console output that the commands share."""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, TypeVar

from pydantic import BaseModel

from orket_lib import __version__
from orket_lib.artifacts.base import InputFile, Labelled, Provenance
from orket_lib.artifacts.io import sha256_of_file
from orket_lib.artifacts.progress import Event, add, shown_elsewhere
from orket_lib.commands._examples import add_examples
from orket_lib.sweep.git_state import checkout_state
from orket_lib.vocabulary.clock import utc_now
from orket_lib.vocabulary.text import visible, visible_json

N = TypeVar("N", int, float)


class Actions:
    """The actions of a command such as `orket tasks`: each has options and a function of its own.

    Args:
        parser: Parser of the command.
        examples: Lines to type, for all actions.
    """

    def __init__(self, parser: argparse.ArgumentParser, examples: Sequence[str]) -> None:
        self._examples = examples
        self._parsers = parser.add_subparsers(dest="action", required=True, metavar="ACTION")

    def add(
        self, name: str, act: Callable[[argparse.Namespace], int], summary: str
    ) -> argparse.ArgumentParser:
        """Return the parser of a new action."""
        parser = self._parsers.add_parser(
            name, help=summary, description=f"{summary[0].upper()}{summary[1:]}."
        )
        add_examples(parser, self._examples)
        parser.set_defaults(act=act)
        return parser


def add_out(parser: argparse.ArgumentParser, help_text: str) -> None:
    """Add `--out` and `--log`."""
    parser.add_argument("--out", type=Path, required=True, help=help_text)
    add_log(parser)


def add_log(parser: argparse.ArgumentParser) -> None:
    """Add `--log`, which Snakemake shows when a rule fails."""
    parser.add_argument("--log", type=Path, help="also write the error message to this file")


def number(
    least: float = -math.inf, most: float = math.inf, above: float = -math.inf
) -> Callable[[str], float]:
    """Return the `type` of an option that takes a finite number within these limits."""
    limits = [
        f"{sign} {limit:g}"
        for sign, limit in ((">=", least), (">", above), ("<=", most))
        if math.isfinite(limit)
    ]
    return _checked(
        float,
        lambda value: math.isfinite(value) and least <= value <= most and value > above,
        " ".join(["a number", " and ".join(limits)]).rstrip(),
    )


def whole_number(least: int) -> Callable[[str], int]:
    """Return the `type` of an option that takes a whole number of at least this."""
    return _checked(int, lambda value: value >= least, f"a whole number >= {least}")


def _checked(
    convert: Callable[[str], N], allowed: Callable[[N], bool], wanted: str
) -> Callable[[str], N]:
    def parse(text: str) -> N:
        with suppress(ValueError):
            value = convert(text)
            if allowed(value):
                return value
        raise argparse.ArgumentTypeError(f"must be {wanted} (got {text!r:.80})")

    return parse


@contextmanager
def reader_may_leave(stream: IO[str]) -> Iterator[None]:
    """Let the reader of a stream go away, as in `orket show | head`; the rest is lost."""
    try:
        yield
    except BrokenPipeError:
        # What is buffered would fail again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def tell(text: str, routine: bool = False) -> None:
    """Print lines on standard error; standard output is for results.

    In a job whose progress is shown elsewhere, they appear there.

    Args:
        text: The lines.
        routine: They say that all went well, which a sweep does by going on.
    """
    if shown_elsewhere():
        if not routine:
            add(Event(kind="tell", text=text))
        return
    with reader_may_leave(sys.stderr):
        print(visible(text), file=sys.stderr)  # noqa: T201


def print_text(text: str) -> None:
    """Print a result as lines on standard output."""
    print(visible(text))  # noqa: T201


def print_json(value: BaseModel | Mapping[str, Any]) -> None:
    """Print a result as JSON on standard output."""
    content = value.model_dump(mode="json") if isinstance(value, BaseModel) else value
    text = json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False)
    print(visible_json(text))  # noqa: T201


def provenance(
    inputs: Iterable[Path] = (), ref: str = "local-run:manual", config_sha256: str | None = None
) -> Provenance:
    """Return the provenance of an artifact that is made now from these files."""
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
    """Return the fields that every artifact starts with."""
    return {
        "generated_at": utc_now(),
        "provenance": provenance(inputs, ref, config_sha256),
    }


def stamp_like(source: Labelled, inputs: Iterable[Path], ref: str | None = None) -> dict[str, Any]:
    """Return these fields and the labels of the artifact that the new one is made from."""
    return {
        **stamp(inputs, ref or source.provenance.ref, source.provenance.config_sha256),
        "execution_lane": source.execution_lane,
        "vram_profile": source.vram_profile,
        "hardware_fingerprint": source.hardware_fingerprint,
    }
