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

from orket_lib import __version__
from orket_lib.vocabulary.errors import ConfigError, OrketError, Refused

COMMANDS = {
    "where": "say where the workflow lies, for `snakemake -s` and `module:`",
    "plan": "show what a sweep would do, without doing it",
    "doctor": "say what can be measured on this machine, and suggest a config",
    "status": "say what is current, what is stale and why, and what a run would cost",
    "preflight": "check that everything a sweep needs is there",
    "quantize": "make a quant of a model file with llama.cpp's llama-quantize",
    "measure-canary": "take the canaries from the store, and measure those that are due",
    "canary-verdict": "hold the canary's measurement against its thresholds",
    "require": "fail, with the reasons, if a verdict did not pass",
    "measure-cell": "take a cell's measurements from the store, and measure what is missing",
    "measure-sidecar": "take a cell's hardware sidecar from the store, or run it",
    "run-report": "put a cell's sealed parts together, and grade its answers",
    "sidecar-view": "make the sweep's view of a hardware sidecar",
    "sidecar-probe": "measure a model file on this machine's hardware",
    "row": "make a cell's row from its run report",
    "summary": "make the summary from the rows",
    "kpis": "make the KPI report from a summary",
    "kpi-gate": "hold a sweep's KPIs against a policy",
    "frontier": "make the frontier artifact from a summary",
    "measure-contexts": "measure how long a context the picked quant of a model can be given",
    "context": "find the context ceiling from summaries of several contexts",
    "measure-thermal": "measure the thermal series of the quant that a frontier picks",
    "thermal": "make the thermal profile of a series, or of several sweeps",
    "history": "add, list, compare and draw the records of earlier sweeps",
    "contracts": "hold explorer artifacts against their published schemas",
    "baselines": "list, resolve, check, prune, pin and record baselines, and compare a sweep",
    "report": "make the operator report from a summary",
    "tasks": "check, list, show and import task banks, and verify their solutions",
    "run-task": "ask a served model one task and print what a runner prints",
    "bench": "measure what measuring costs, and whether two providers agree",
    "clocks": "compare the server's decode clock with the client's own",
}


# What they were called before; both names work.
_OLDER = {"contexts": "measure-contexts", "thermal-series": "measure-thermal"}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    name = next((word for word in arguments if not word.startswith("-")), None)
    if name in _OLDER:
        arguments[arguments.index(name)] = name = _OLDER[name]
    parser = _parser(name if name in COMMANDS else None)
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
        return _fail(f"error: {_of_system(error)}", 1, options)
    except KeyboardInterrupt:
        kept = "interrupted; what was measured is kept, and the same command goes on from there"
        return _fail(kept, 130, options)


def _parser(loaded: str | None) -> argparse.ArgumentParser:
    """Return the parser; only the command that is called is imported and has its options."""
    parser = argparse.ArgumentParser(prog="orket", description=__doc__.splitlines()[0])
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")
    for name, summary in COMMANDS.items():
        command = commands.add_parser(name, help=summary, description=f"{summary.capitalize()}.")
        if name == loaded:
            module = import_module(f"orket_lib.commands.{name.replace('-', '_')}")
            module.add_arguments(command)
            command.set_defaults(run=module.run)
    return parser


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
