"""What a sweep is made of, as it is named on the command line, and the config that is written."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import replace
from itertools import count
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

from orket_lib.artifacts.io import write_text
from orket_lib.commands._common import tell
from orket_lib.commands._configs import add_settings
from orket_lib.config.loading.files import read_sources
from orket_lib.config.loading.parse import parse
from orket_lib.doctor.search import Wanted, propose
from orket_lib.doctor.suggested import Suggestion
from orket_lib.doctor.suggestion import reasons
from orket_lib.doctor.targets import Target
from orket_lib.report.doctor import suggestion_yaml
from orket_lib.vocabulary.errors import Refused
from orket_lib.vocabulary.slugs import slug

# What a config is about. A file with other values of these is another sweep.
_ABOUT = ("models", "quants", "provider", "base_url", "artifacts", "tags")
_MOST_IN_A_NAME = 3
_NOT_WRITTEN = ("sweep", "again")  # of one call, or named by the file itself


def add_what(parser: argparse.ArgumentParser, further: str = "") -> None:
    """Add what can be named, and how it is served.

    Args:
        parser: Parser of the command.
        further: Help text about what else can be named.
    """
    add = parser.add_argument
    add(
        "what",
        nargs="*",
        metavar="WHAT",
        help="GGUF files, folders of them, ollama:MODEL, lmstudio:MODEL, http://HOST:PORT"
        f"{further}; none: all models that `orket doctor` finds",
    )
    add("--quick", action="store_true", help="a first answer: 60 tasks, in minutes")
    add("--server", metavar="PATH", help="llama-server that serves the files")
    add("--cpu", action="store_true", help="serve files on the CPU, although there is a GPU")
    add_settings(parser)


def refuse_read_only() -> None:
    """Check that the current folder can be written to.

    Raises:
        Refused: It can't.
    """
    try:
        with TemporaryFile(dir=Path()):
            pass
    except OSError as error:
        raise Refused(
            f"{Path.cwd()}: can't be written to ({error.strerror}); go to a folder of your own "
            "(cd FOLDER), and type the same command"
        ) from None


def suggested(
    options: argparse.Namespace, targets: list[Target], settings: Mapping[str, Any]
) -> Suggestion:
    """Return the config of what was named, with the settings of the command line in it.

    Raises:
        ConfigError: A setting is wrong.
        Refused: There is nothing to sweep.
    """
    settings = read_sources((), settings)[0].settings
    found = propose(Wanted(targets, settings, options.server, options.cpu))
    kept = {key: value for key, value in settings.items() if key not in _NOT_WRITTEN}
    config = {**found.config, **kept}
    parse(config)
    comments = {key: text for key, text in found.comments.items() if key not in kept}
    tell("\n".join([found.why, *(f"left out: {line}" for line in reasons(found.left_out))]))
    return replace(found, config=config, comments=comments)


def text_and_path(suggestion: Suggestion) -> tuple[str, Path, bool]:
    """Return the text of a config, its path, and whether that exists already.

    A file that is about the same models is kept with all its settings. Any other is never replaced:
    the name gets a number.
    """
    config = suggestion.config
    models = list(config["models"])
    few = len(models) <= _MOST_IN_A_NAME
    stem = slug("-".join(models)) if few else f"{len(models)}-models"
    for number in count(1):
        path = Path(f"{stem}-{number}.yaml" if number > 1 else f"{stem}.yaml")
        if not path.exists():
            return suggestion_yaml(suggestion, path.name), path, False
        found = read_sources([path], {})[0].settings
        if all(found.get(key) == config.get(key) for key in _ABOUT):
            return path.read_text("utf-8"), path, True
    raise AssertionError  # count() doesn't end


def write(text: str, path: Path, exists: bool) -> None:
    """Write a config, unless it is kept, and name it."""
    if not exists:
        write_text(path, text)
    tell(f"{path}: {'exists already, and is kept' if exists else 'written'}")
