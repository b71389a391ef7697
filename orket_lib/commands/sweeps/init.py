"""`orket init`: write the config of a sweep, and measure nothing."""

from __future__ import annotations

import argparse

from orket_lib.commands._common import print_text, tell
from orket_lib.commands._configs import overrides_of
from orket_lib.commands.sweeps._named import (
    add_what,
    refuse_read_only,
    suggested,
    text_and_path,
    write,
)
from orket_lib.doctor.targets import target_of
from orket_lib.vocabulary.errors import ConfigError
from orket_lib.vocabulary.shell import shell_line

EXAMPLES = ("orket init", "orket init /disk/models --quick")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    add_what(parser)


def run(options: argparse.Namespace) -> int:
    """Write the config, and print its path on standard output."""
    targets = [(word, target_of(word)) for word in options.what]
    configs = [f"{word}: is a config already" for word, target in targets if target is None]
    if configs:
        raise ConfigError(configs)
    refuse_read_only()
    settings = overrides_of(options) | ({"quick": True} if options.quick else {})
    found = suggested(options, [target for _, target in targets if target], settings)
    text, path, exists = text_and_path(found)
    write(text, path, exists)
    tell(f"to measure it, type: {shell_line(['orket', 'sweep', str(path)])}")
    print_text(str(path))
    return 0
