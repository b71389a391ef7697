"""`orket --help`, the help of every command, and the names of earlier versions."""

from __future__ import annotations

import argparse
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

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


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_action_has_an_example_that_can_be_typed(name: str) -> None:
    (command,) = cli.parser_of(name)._subparsers._group_actions  # type: ignore[union-attr]
    for parser in parsers(command.choices[name]):  # type: ignore[index]
        head, *lines = (parser.epilog or "").splitlines()
        assert (head, bool(lines)) == ("examples:", True)
        for line in lines:
            typed, _, _ = line.strip().removeprefix('eval "$(').removesuffix(')"').partition(" | ")
            program, *words = shlex.split(typed)
            assert program == "orket"
            assert " ".join([program, *words]).startswith(parser.prog)
            cli.parser_of(name).parse_args(words)


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


def test_an_unknown_option_is_answered_with_the_usage_of_the_command(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["sweep", "--quik"])
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert "--quick" in said
    assert said.endswith("orket sweep: error: unrecognized arguments: --quik\n")


def test_the_older_names_stay() -> None:
    assert set(cli.ALIASES) == {"contexts", "context", "thermal-series", "thermal"}
    assert set(cli.ALIASES.values()) <= set(COMMANDS)


def completed(line: str, folder: Path) -> list[str]:
    """Return what a shell is given for a line."""
    found = folder / "found"
    asked = {
        "_ARGCOMPLETE": "1",
        "_ARGCOMPLETE_STDOUT_FILENAME": str(found),
        "COMP_LINE": line,
        "COMP_POINT": str(len(line)),
    }
    command = [sys.executable, "-m", "orket_lib"]
    subprocess.run(command, env={**os.environ, **asked}, check=True, timeout=60)
    return [word.strip() for word in found.read_text().split("\x0b")]


def test_a_shell_completes_commands_and_their_options(tmp_path: Path) -> None:
    assert completed("orket sho", tmp_path) == ["show"]
    assert "--json" in completed("orket plan --", tmp_path)
    assert completed("orket completion f", tmp_path) == ["fish"]


@pytest.mark.skipif(not Path("/bin/bash").exists(), reason="needs bash")
def test_bash_takes_the_code_for_it(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert cli.main(["completion", "bash"]) == 0
    program = tmp_path / "orket"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m orket_lib "$@"\n')
    program.chmod(0o755)
    asked = 'COMP_LINE="orket sho" COMP_POINT=9 COMP_TYPE=9 COMP_WORDS=(orket sho) COMP_CWORD=1'
    ask = f'{asked}; _python_argcomplete orket sho orket; echo "${{COMPREPLY[@]}}"'
    done = subprocess.run(
        ["/bin/bash", "--norc", "-c", f"{capsys.readouterr().out}\n{ask}"],
        env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stdout.split() == ["show"]


@pytest.mark.parametrize(
    ("shell", "words"),
    [("zsh", "compdef"), ("fish", "complete "), ("powershell", "Register-ArgumentCompleter")],
)
def test_other_shells_have_code_of_their_own(
    capsys: pytest.CaptureFixture[str], shell: str, words: str
) -> None:
    assert cli.main(["completion", shell]) == 0
    assert words in capsys.readouterr().out


def test_completion_costs_nothing_otherwise() -> None:
    code = "import sys; from orket_lib import cli; cli.main(['where']); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "orket_lib.commands.where" in done.stdout.split()
    assert "argcomplete" not in done.stdout.split()
