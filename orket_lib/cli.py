"""The command line: `orket <command>`; each command is a module that is imported when it is called.

Exit codes: 0 pass, 1 could not run, 2 wrong usage, 3 a policy said no. Errors that a user can put
right are one message on standard error, without a traceback; results go to standard output.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

from orket_lib import __version__
from orket_lib.vocabulary.errors import (
    EXIT_ERROR,
    EXIT_INTERRUPTED,
    ConfigError,
    OrketError,
    Refused,
)


class Group(NamedTuple):
    """Commands that lie in one package.

    Attributes:
        title: Heading in the help.
        package: Below `orket_lib.commands`; empty = in it.
        commands: What each does, by name.
    """

    title: str
    package: str
    commands: dict[str, str]


GROUPS = (
    Group(
        "what you type",
        "",
        {
            "doctor": "say what can be measured on this machine, and suggest a config",
            "plan": "show what a sweep would do, without doing it",
            "status": "say what is current, what is stale and why, and what a run would cost",
            "tasks": "check, list, show and import task banks, and verify their solutions",
            "report": "make the operator report from a summary",
            "baselines": "list, check, pin, prune and record baselines, and compare a sweep",
            "history": "add, list, compare and draw the records of earlier sweeps",
            "clocks": "compare the server's decode clock with the client's own",
            "run-task": "ask a served model one task and print what a runner prints",
            "sidecar-probe": "measure a model file on this machine's hardware",
            "contracts": "hold explorer artifacts against their published schemas",
            "where": "say where the workflow lies, for `snakemake -s` and `module:`",
        },
    ),
    Group(
        "what the workflow measures with",
        "measure",
        {
            "preflight": "check that everything a sweep needs is there",
            "quantize": "make a quant of a model file with llama.cpp's llama-quantize",
            "measure-canary": "take the canaries from the store, and measure those that are due",
            "measure-cell": "take a cell's measurements from the store; measure what is missing",
            "measure-sidecar": "take a cell's hardware sidecar from the store, or run it",
            "measure-contexts": "measure the picked quant of a model at several context lengths",
            "measure-thermal": "measure the thermal series of the quant that a frontier picks",
        },
    ),
    Group(
        "what the workflow makes files with",
        "views",
        {
            "canary-verdict": "hold the canary's measurement against its thresholds",
            "require": "fail, with the reasons, if a verdict did not pass",
            "run-report": "put a cell's sealed parts together, and grade its answers",
            "sidecar-view": "make the sweep's view of a hardware sidecar",
            "row": "make a cell's row from its run report",
            "summary": "make the summary from the rows",
            "kpis": "make the KPI report from a summary",
            "kpi-gate": "hold a sweep's KPIs against a policy",
            "frontier": "make the frontier artifact from a summary",
            "context-ceiling": "find the context ceiling from summaries of several contexts",
            "thermal-profile": "make the thermal profile of a series, or of several sweeps",
        },
    ),
)
# What they were called before; both names work.
_OLDER = {
    "contexts": "measure-contexts",
    "context": "context-ceiling",
    "thermal-series": "measure-thermal",
    "thermal": "thermal-profile",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    name = next((word for word in arguments if not word.startswith("-")), None)
    if name in _OLDER:
        arguments[arguments.index(name)] = name = _OLDER[name]
    parser = _parser(name)
    options = parser.parse_args(arguments)
    try:
        _log(options, "")
        return int(options.run(options))
    except ConfigError as error:
        return _fail(f"config error:\n{error}", error.exit_code, options)
    except BrokenPipeError:
        return 0
    except Refused as error:
        from orket_lib.workflow.job_environment import rerun_command

        lines = [f"error: {error}"]
        if error.rerun:
            lines.append(f"once that is put right, type: {rerun_command(error.rerun)}")
        return _fail("\n".join(lines), error.exit_code, options)
    except OrketError as error:
        return _fail(f"error: {error}", error.exit_code, options)
    except OSError as error:  # a path that a user named, or a full disk
        return _fail(f"error: {_of_system(error)}", EXIT_ERROR, options)
    except KeyboardInterrupt:
        kept = "interrupted; what was measured is kept, and the same command goes on from there"
        return _fail(kept, EXIT_INTERRUPTED, options)


def _parser(loaded: str | None) -> argparse.ArgumentParser:
    """Return the parser; only the command that is called is imported and has its options."""
    parser = argparse.ArgumentParser(
        prog="orket",
        description=f"{_overview()}\n\n`orket COMMAND --help` shows the options of a command.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        usage="orket [-h] [--version] COMMAND ...",
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for group in GROUPS:
        for name, summary in group.commands.items():
            command = commands.add_parser(name, description=f"{summary.capitalize()}.")
            if name == loaded:
                path = filter(None, ("orket_lib.commands", group.package, name.replace("-", "_")))
                module = import_module(".".join(path))
                module.add_arguments(command)
                command.set_defaults(run=module.run)
    return parser


def _overview() -> str:
    """Return all commands under the headings of their groups."""
    return "\n\n".join(
        "\n".join(
            [
                f"{group.title}:",
                *(f"  {name:<18}{summary}" for name, summary in group.commands.items()),
            ]
        )
        for group in GROUPS
    )


def _fail(message: str, code: int, options: argparse.Namespace) -> int:
    print(message, file=sys.stderr)  # noqa: T201
    try:
        _log(options, f"{message}\n")
    except OSError as error:
        # The message is on the terminal; of a log on a full disk that is all there can be.
        if _of_system(error) not in message:
            print(_of_system(error), file=sys.stderr)  # noqa: T201
    return code


def _of_system(error: OSError) -> str:
    """Return an error of the system in one line, with the file that it is about."""
    from orket_lib.artifacts.disk import why_not_written

    place = Path(error.filename) if isinstance(error.filename, str) else None
    why = why_not_written(error, place or Path())
    return f"{place}: {why}" if place else why


def _log(options: argparse.Namespace, text: str) -> None:
    """Replace the content of a rule's log, so that no old message in it outlives its cause."""
    log: Path | None = getattr(options, "log", None)
    if log is not None:
        try:
            log.parent.mkdir(parents=True, exist_ok=True)
            log.write_text(text, encoding="utf-8")
        except OSError as error:
            raise OSError(error.errno, error.strerror, str(log)) from None
