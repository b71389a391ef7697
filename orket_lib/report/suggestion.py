"""A suggested config as YAML, with a comment where a value needs one."""

from __future__ import annotations

from typing import Any

import yaml

from orket_lib.doctor.suggestion import Suggestion

_WIDTH = 1000  # a line that is broken is harder to change


def suggestion_yaml(suggestion: Suggestion, file: str = "my.yaml") -> str:
    """Return a config file.

    Args:
        suggestion: The config.
        file: Its name, for the lines that say how it is used.
    """
    lines = [
        f"# Suggested by `orket doctor`: {_one_line(suggestion.why)}.",
        f"#   snakemake -n --configfile {file}    what would happen",
        f"#   snakemake --configfile {file}       the sweep",
        "",
    ]
    for key, value in suggestion.config.items():
        if key in suggestion.comments:
            lines.append(f"# {suggestion.comments[key]}:")
        lines.append(_entry(key, value))
    return "\n".join(lines) + "\n"


def _entry(key: str, value: Any) -> str:
    """Return a key with its value: lists on one line, tables with a line for each cell."""
    flow = None if isinstance(value, list) else False
    text: str = yaml.safe_dump(
        {key: value}, default_flow_style=flow, width=_WIDTH, sort_keys=False, allow_unicode=True
    )
    return text.rstrip("\n")


def _one_line(text: str) -> str:
    """Return text that can't leave its comment, whatever a server calls its models."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)
