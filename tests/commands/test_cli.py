"""`orket --help`, the help of every command, and the names of earlier versions."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

import pytest

from orket_lib import cli

COMMANDS = [name for group in cli.GROUPS for name in group.commands]


def help_of(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    with pytest.raises(SystemExit) as ended:
        cli.main([*arguments, "--help"])
    assert ended.value.code == 0
    return capsys.readouterr().out


def parsers(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    yield parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for child in action.choices.values():
                yield from parsers(child)


def test_the_help_groups_what_people_type_and_what_the_workflow_calls(
    capsys: pytest.CaptureFixture[str],
) -> None:
    text = help_of(capsys)
    headings = [text.index(f"{group.title}:\n") for group in cli.GROUPS]
    assert headings == sorted(headings)
    assert headings[0] < text.index("  doctor ") < headings[1] < text.index("  measure-cell ")
    assert [name for name in COMMANDS if f"\n  {name:<18}" not in text] == []


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_is_explained(capsys: pytest.CaptureFixture[str], name: str) -> None:
    assert help_of(capsys, name).startswith(f"usage: orket {name} ")
    (command,) = cli.parser_of(name)._subparsers._group_actions  # type: ignore[union-attr]
    silent = [
        " ".join([child.prog, *(action.option_strings or [action.dest])])
        for child in parsers(command.choices[name])  # type: ignore[index]
        for action in child._actions
        if not (action.help or isinstance(action, argparse._SubParsersAction))
    ]
    assert silent == []


@pytest.mark.parametrize(("older", "name"), cli.ALIASES.items())
def test_a_name_of_an_earlier_version_works(
    capsys: pytest.CaptureFixture[str], older: str, name: str
) -> None:
    assert help_of(capsys, older) == help_of(capsys, name)


@pytest.mark.parametrize(
    ("typed", "words"),
    [("plna", "no command `plna`; did you mean `plan`?"), ("x", "no command `x`; `orket --help`")],
)
def test_a_command_that_there_is_not_is_one_line(
    capsys: pytest.CaptureFixture[str], typed: str, words: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main([typed])
    assert ended.value.code == 2
    assert words in capsys.readouterr().err.splitlines()[-1]


def test_the_older_names_stay() -> None:
    assert set(cli.ALIASES) == {"contexts", "context", "thermal-series", "thermal"}
    assert set(cli.ALIASES.values()) <= set(COMMANDS)
