"""Reading config files, with all problems of a file itself.

Snakemake reads config files too, but it takes the last of two equal keys and runs a file that
contains `__use_yte__` as a template. Here duplicate keys are reported, templates are refused, and a
setting in a later file wins however it is spelled.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from orket_lib.vocabulary.errors import ConfigError
from orket_lib.vocabulary.validation import TOO_MUCH, too_large

_TEMPLATE_KEY = "__use_yte__"
_YAML_MERGE = "tag:yaml.org,2002:merge"
_MOST_MERGED = 10_000
# Above this, libyaml reads a file ten times as fast; below, the other parser's messages are better.
_LONG = 2**16


@dataclass(frozen=True)
class Source:
    """A config file or the command line.

    Attributes:
        settings: As written; empty if the file can't be read.
        problems: Problems of the file itself.
        readable: False if its settings are unknown.
        file: The file; None for the command line.
    """

    settings: Mapping[str, Any]
    problems: tuple[str, ...] = ()
    readable: bool = True
    file: Path | None = None


def read_sources(paths: Sequence[str | Path], overrides: Mapping[str, Any]) -> list[Source]:
    """Return config files and command line, in order; later sources win."""
    return [*(_read(Path(path)) for path in paths), Source(_with_nulls(overrides))]


def read_overrides(pairs: Sequence[str]) -> dict[str, Any]:
    """Return the settings of `--config key=value`, parsed as Snakemake does.

    Raises:
        ConfigError: A pair has no `=`.
    """
    problems = [
        f"--config {pair}: must be key=value; config files come before --config"
        for pair in pairs
        if "=" not in pair[1:]
    ]
    if problems:
        raise ConfigError(problems)
    return {key: _value(text) for key, _, text in (pair.partition("=") for pair in pairs)}


def _with_nulls(value: Any) -> Any:
    """Return a command-line value with the text `null` read as null."""
    if isinstance(value, Mapping):
        return {key: _with_nulls(inner) for key, inner in value.items()}
    return None if value == "null" else value


def _value(text: str) -> Any:
    if not text:
        return None
    for read in (int, float):
        try:
            return read(text)
        except ValueError:
            pass
    if text in ("True", "False"):
        return text == "True"
    try:
        # Everything inside stays text, which the fields convert.
        return yaml.load(text, Loader=yaml.BaseLoader)
    except yaml.YAMLError:
        return text


def _read(path: Path) -> Source:
    name = path.name if path.is_absolute() else path.as_posix()
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        return _broken(path, f"{path.as_posix()}: {error.strerror}")
    except UnicodeDecodeError:
        return _broken(
            path, f"{name}: not UTF-8 (PowerShell's `>` writes UTF-16; save it as UTF-8)"
        )
    try:
        content, duplicates = _from_json(text)
    except (ValueError, RecursionError):
        try:
            content, duplicates = _from_yaml(text)
        except yaml.YAMLError as error:
            return _broken(path, f"{name}: not YAML: {_yaml_error(error)}")
        except ValueError as error:  # 2026-02-30, thousands of digits
            return _broken(path, f"{name}: can't be read: {error}")
        except RecursionError:
            return _broken(path, f"{name}: {TOO_MUCH}")
    if too_large(content):
        return _broken(path, f"{name}: {TOO_MUCH}")
    if not isinstance(content, dict):
        return _broken(path, f"{name}: must be a mapping of keys to values")
    if _TEMPLATE_KEY in content:
        return _broken(
            path,
            f"{name}: {_TEMPLATE_KEY}: a config must not be a template, because Snakemake runs the "
            "code in it; write plain values (see docs/reference/security.md)",
        )
    problems = [f"{name}: duplicate key: {', '.join(duplicates)}"] if duplicates else []
    return Source(content, tuple(problems), file=path)


def _broken(path: Path, problem: str) -> Source:
    return Source({}, (problem,), readable=False, file=path)


class _Pairs(dict[str, Any]):
    """A JSON object that remembers its duplicate keys."""

    def __init__(self, pairs: Sequence[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        counts = Counter(key for key, _ in pairs)
        self.duplicates = [key for key, count in counts.items() if count > 1]


def _from_json(text: str) -> tuple[Any, list[str]]:
    content = json.loads(text, object_pairs_hook=_Pairs)
    return content, list(_duplicate_pairs(content))


def _duplicate_pairs(value: Any, path: str = "") -> Iterator[str]:
    if isinstance(value, _Pairs):
        yield from (f"{path}{key}" for key in value.duplicates)
        for key, inner in value.items():
            yield from _duplicate_pairs(inner, f"{path}{key}.")


def _from_yaml(text: str) -> tuple[Any, list[str]]:
    fast = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    loader = fast(text) if len(text) > _LONG else yaml.SafeLoader(text)
    try:
        node = loader.get_single_node()
        duplicates = list(_duplicate_nodes(node, set()))
        if node is None:
            return None, duplicates
        _merged(node, {})
        try:
            return loader.construct_document(node), duplicates
        except ValueError as error:
            line = next(_unreadable_lines(node, set()), None)
            raise ValueError(f"line {line}: {error}" if line else str(error)) from None
    finally:
        loader.dispose()


def _unreadable_lines(node: yaml.Node, seen: set[int]) -> Iterator[int]:
    """Yield the line of each value that looks like a date or number and is none."""
    if id(node) in seen:
        return
    seen.add(id(node))
    if isinstance(node, yaml.ScalarNode):
        try:
            yaml.constructor.SafeConstructor().construct_document(node)
        except ValueError:
            yield node.start_mark.line + 1
    elif isinstance(node, yaml.MappingNode):
        for pair in node.value:
            for item in pair:
                yield from _unreadable_lines(item, seen)
    else:
        for item in node.value:
            yield from _unreadable_lines(item, seen)


def _merged(node: yaml.Node, known: dict[int, int]) -> int:
    """Return how many pairs a mapping has after all `<<` in it, which may multiply them.

    Args:
        node: A mapping, or a list of mappings; for other nodes, the result means nothing.
        known: Results, by the id of the node; an alias is the same node again.

    Raises:
        ValueError: They are too many.
    """
    if id(node) in known or isinstance(node, yaml.ScalarNode):
        return known.get(id(node), 1)
    known[id(node)] = 1  # of an alias inside its own anchor
    if isinstance(node, yaml.MappingNode):
        sizes = [(key.tag == _YAML_MERGE, _merged(value, known)) for key, value in node.value]
        size = sum(inner if merges else 1 for merges, inner in sizes)
        if size > _MOST_MERGED and any(merges for merges, _ in sizes):
            raise ValueError(TOO_MUCH)
    else:
        size = sum(_merged(item, known) for item in node.value)
    known[id(node)] = size
    return size


def _duplicate_nodes(node: yaml.Node | None, seen: set[int], path: str = "") -> Iterator[str]:
    """Yield the keys that a mapping has twice.

    Args:
        node: Any node; lists are not searched.
        seen: Ids of the mappings so far: an alias is the same node again.
        path: Of the node.
    """
    if not isinstance(node, yaml.MappingNode) or id(node) in seen:
        return
    seen.add(id(node))
    lines: dict[str, int] = {}
    for key, value in node.value:
        if key.tag == _YAML_MERGE or not isinstance(key, yaml.ScalarNode):
            continue
        line = key.start_mark.line + 1
        if key.value in lines:
            first = lines[key.value]
            yield f"{path}{key.value} (lines {first} and {line})"
        lines[key.value] = line
        yield from _duplicate_nodes(value, seen, f"{path}{key.value}.")


def _yaml_error(error: yaml.YAMLError) -> str:
    if not isinstance(error, yaml.MarkedYAMLError) or error.problem_mark is None:
        return " ".join(str(error).split())
    mark = error.problem_mark
    context = f"{error.context}: " if error.context else ""
    return f"line {mark.line + 1}, column {mark.column + 1}: {context}{error.problem}"
