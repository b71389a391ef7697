"""The command line: `orket <command>`. Each command is a module, imported only when it is called.

Exit codes: 0 passed, 1 could not run, 2 wrong usage, 3 a policy was not met. Errors that a user can
fix are one message on standard error, without a traceback. Results go to standard output.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import NamedTuple

from orket_lib import __version__
from orket_lib.commands._examples import add_examples
from orket_lib.vocabulary.errors import (
    EXIT_ERROR,
    EXIT_INTERRUPTED,
    ConfigError,
    OrketError,
    Refused,
)
from orket_lib.vocabulary.text import visible
from orket_lib.vocabulary.validation import nearest


class Group(NamedTuple):
    """The commands of one package.

    Attributes:
        title: Heading in the help.
        package: Package below `orket_lib.commands`; empty = `orket_lib.commands` itself.
        commands: One line of help for each, by name.
    """

    title: str
    package: str
    commands: dict[str, str]


GROUPS = (
    Group(
        "sweeps",
        "sweeps",
        {
            "sweep": "measure the quants of a model, and end with the verdict",
            "init": "write the config of a sweep, and measure nothing",
            "doctor": "show what can be measured on this machine, and suggest a config",
            "plan": "show what a sweep would do, without doing it",
            "status": "show what is current, what is stale and why, and what a run would cost",
            "watch": "show a sweep that runs in another terminal",
            "retry": "measure one cell of a sweep again",
        },
    ),
    Group(
        "results",
        "results",
        {
            "show": "print the result of a sweep again, also as Markdown",
            "open": "open the report of a sweep in the browser",
            "flips": "show the tasks that each quant lost or won against the baseline",
            "compare": "show what differs between two sweeps, beyond noise",
            "fidelity": "compare the answers of two sweeps or cells, right or wrong",
            "export": "write all runs as CSV or Parquet, or the pick for a model card",
            "report": "write the report of a summary",
            "baselines": "list, check, pin, prune and record baselines; compare a sweep with them",
            "history": "add, list, compare and plot the results of earlier sweeps",
            "clocks": "compare the decode rate by the server's clock with ours",
            "contracts": "check explorer artifacts against their published schemas",
        },
    ),
    Group(
        "evidence for others",
        "evidence",
        {
            "bundle": "pack a sweep with its measurements into one archive, to show it to others",
            "verify": "check a bundle: hashes, signature, and every table and verdict made again",
        },
    ),
    Group(
        "tools",
        "",
        {
            "tasks": "import, generate, validate, list and show task banks; verify their solutions",
            "run-task": "ask a served model one task and print the result as a runner does",
            "sidecar-probe": "measure one model file on this machine's hardware",
            "where": "print the path of the Snakefile, for `snakemake -s` and `module:`",
            "completion": "print what makes your shell complete commands and options",
        },
    ),
    Group(
        "workflow steps that measure",
        "measure",
        {
            "preflight": "check that everything a sweep needs is there",
            "quantize": "make a quant of a model file with llama.cpp's llama-quantize",
            "measure-canary": "take the canary runs from the store, and measure those that are due",
            "measure-cell": "take a cell's measurements from the store; measure what is missing",
            "measure-sidecar": "take a cell's hardware sidecar from the store, or run it",
            "measure-contexts": "measure a quant at several context lengths",
            "measure-thermal": "measure the thermal series of the recommended quant",
            "measure-fidelity": "measure the probabilities of tokens of all quants of a model",
        },
    ),
    Group(
        "workflow steps that make files from files",
        "views",
        {
            "canary-verdict": "judge the canary runs by their thresholds",
            "require": "fail, with the reasons, if a verdict did not pass",
            "run-report": "put a cell's sealed parts together, and grade its answers",
            "sidecar-view": "write a sweep's view of a hardware sidecar",
            "start": "note when a sweep with a budget begins",
            "look": "judge a model after a batch of tasks, and drop the quants that are decided",
            "row": "make a cell's row from its run reports",
            "summary": "make the summary from the rows",
            "kpis": "make the KPI report from a summary",
            "kpi-gate": "judge a sweep's KPIs by a policy",
            "frontier": "make the frontier artifact from a summary",
            "context-ceiling": "find the context ceiling from summaries at several contexts",
            "context-quants": "compare the contexts of several quants of a model",
            "kld": "compare the probabilities of a model's quants with those of the baseline",
            "thermal-profile": "make the thermal profile of a series, or of several sweeps",
        },
    ),
)
# Names of earlier versions; they still work.
ALIASES = {
    "contexts": "measure-contexts",
    "context": "context-ceiling",
    "thermal-series": "measure-thermal",
    "thermal": "thermal-profile",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    completing = "_ARGCOMPLETE" in os.environ
    arguments = list(sys.argv[1:] if argv is None else argv)
    words = os.environ["COMP_LINE"].split()[1:] if completing else arguments
    name = next((word for word in words if not word.startswith("-")), None)
    if name in ALIASES:
        arguments[arguments.index(name)] = name = ALIASES[name]
    parser = parser_of(name)
    if completing:
        from argcomplete import autocomplete

        autocomplete(parser)  # exits
    names = [known for group in GROUPS for known in group.commands]
    if name is not None and name not in names:
        hint = nearest(name, names)
        parser.error(f"there is no command `{name}`{hint}; `orket --help` lists them")
    options, unknown = parser.parse_known_args(arguments)
    if unknown:  # the usage of the command helps, that of all commands doesn't
        options.parser.error(f"unrecognized arguments: {' '.join(unknown)}")
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
            lines.append(f"after fixing this, run: {rerun_command(error.rerun)}")
        return _fail("\n".join(lines), error.exit_code, options)
    except OrketError as error:
        return _fail(f"error: {error}", error.exit_code, options)
    except OSError as error:  # a path that a user named, or a full disk
        return _fail(f"error: {_of_system(error)}", EXIT_ERROR, options)
    except KeyboardInterrupt:
        kept = "interrupted; measurements are kept, and the same command resumes from there"
        return _fail(kept, EXIT_INTERRUPTED, options)


def parser_of(loaded: str | None) -> argparse.ArgumentParser:
    """Return the parser. Only the command that is called is imported, to start quickly."""
    parser = argparse.ArgumentParser(
        prog="orket",
        description=f"{_overview()}\n\nRun `orket COMMAND --help` for the options of a command.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        usage="orket [-h] [--version] COMMAND ...",
    )
    parser.add_argument("--version", action="version", version=_version())
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND", prog="orket")
    for group in GROUPS:
        for name, summary in group.commands.items():
            command = commands.add_parser(name, description=f"{summary[0].upper()}{summary[1:]}.")
            if name == loaded:
                path = filter(None, ("orket_lib.commands", group.package, name.replace("-", "_")))
                module = import_module(".".join(path))
                module.add_arguments(command)
                add_examples(command, module.EXAMPLES)
                command.set_defaults(run=module.run, parser=command)
    return parser


def _version() -> str:
    """Return our version, and that of the package with the embedded llama.cpp."""
    try:
        embedded = f"xllamacpp {version('xllamacpp')}"
    except PackageNotFoundError:
        embedded = "not installed"
    return f"orket {__version__}, embedded llama.cpp: {embedded}"


def _overview() -> str:
    """Return all commands under the headings of their groups."""
    return "\n\n".join(
        "\n  ".join(
            [f"{group.title}:", *(f"{name:<18}{text}" for name, text in group.commands.items())]
        )
        for group in GROUPS
    )


def _fail(message: str, code: int, options: argparse.Namespace) -> int:
    from orket_lib.artifacts.progress import shown_elsewhere

    message = visible(message)
    if not (getattr(options, "log", None) and shown_elsewhere()):  # which shows the log
        print(message, file=sys.stderr)  # noqa: T201
    try:
        _log(options, f"{message}\n")
    except OSError as error:
        # With a full disk there may be no log. The terminal has the message.
        if _of_system(error) not in message:
            print(visible(_of_system(error)), file=sys.stderr)  # noqa: T201
    return code


def _of_system(error: OSError) -> str:
    """Return an `OSError` as one line that names the file."""
    from orket_lib.artifacts.disk import why_not_written

    place = Path(error.filename) if isinstance(error.filename, str) else None
    why = why_not_written(error, place or Path())
    return f"{place}: {why}" if place else why


def _log(options: argparse.Namespace, text: str) -> None:
    """Replace the content of a rule's log, so that it never shows an error of an earlier run."""
    log: Path | None = getattr(options, "log", None)
    if log is not None:
        try:
            log.parent.mkdir(parents=True, exist_ok=True)
            log.write_text(text, encoding="utf-8")
        except OSError as error:
            raise OSError(error.errno, error.strerror, str(log)) from None
