"""`orket tasks`: look at task banks, check them, prove them, and make them from tables."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from orket_lib.commands._common import add_log, print_json, tell

if TYPE_CHECKING:
    from orket_lib.sandbox.detect import Unavailable
    from orket_lib.sandbox.jobs import Sandbox
    from orket_lib.tasks.bank import Task, TaskBank

_WIDEST = 2000  # characters of one line of a bank's text on the terminal


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="action")
    check = actions.add_parser("validate", help="say everything that is wrong with banks")
    check.add_argument("banks", type=Path, nargs="+", metavar="BANK")
    listing = actions.add_parser("list", help="list the tasks of a bank")
    listing.add_argument("bank", type=Path, metavar="BANK")
    listing.add_argument("--json", action="store_true", help="print the list as JSON")
    show = actions.add_parser("show", help="show the prompt of a task, and what judges the answer")
    show.add_argument("bank", type=Path, metavar="BANK")
    show.add_argument("id", metavar="ID", help="as it is written in the bank, or its test_id")
    proof = actions.add_parser("verify", help="put the reference solutions through the graders")
    proof.add_argument("bank", type=Path, metavar="BANK")
    proof.add_argument("--solutions", type=Path, help="default: BANK's name with .solutions.json")
    proof.add_argument(
        "--sandbox",
        nargs="+",
        metavar="KIND",
        help="kinds that may run code, in this order; default: those with walls",
    )
    load = actions.add_parser("import", help="make a bank from a table in JSONL or CSV")
    load.add_argument("table", type=Path, metavar="FILE")
    load.add_argument("--out", type=Path, required=True, metavar="BANK", help="where to write it")
    load.add_argument("--bank-id", help="name of the bank; default: that of its file")
    for action in (check, listing, show, proof, load):
        add_log(action)


def run(options: argparse.Namespace) -> int:
    """Do what is asked for."""
    actions = {
        "validate": _validate,
        "list": _list,
        "show": _show,
        "verify": _verify,
        "import": _import,
    }
    return actions[options.action](options)


def _validate(options: argparse.Namespace) -> int:
    from orket_lib.tasks.bank import load_bank
    from orket_lib.vocabulary.errors import ArtifactError

    wrong = []
    for path in options.banks:
        try:
            bank = load_bank(path)
        except ArtifactError as error:
            wrong.append(path)
            for line in str(error).split("\n"):
                _print(line, to=sys.stderr)
        else:
            _print(f"{path}: {_counted(len(bank.tasks), 'task')}, nothing wrong")
    return 1 if wrong else 0


def _list(options: argparse.Namespace) -> int:
    from orket_lib.tasks.bank import load_bank

    rows = [_row(task) for task in load_bank(options.bank).tasks]
    if options.json:
        print_json({"bank": str(options.bank), "tasks": rows})
        return 0
    columns = ("id", "number", "tier", "category", "graders", "checks")
    cells = [[_cell(row[column]) for column in columns] for row in rows]
    lines = [columns, *cells]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        _print("  ".join(map(str.ljust, line, widths)).rstrip())
    return 0


def _cell(value: object) -> str:
    return "+".join(value) if isinstance(value, list) else str(value)


def _row(task: Task) -> dict[str, Any]:
    from orket_lib.tasks.grading.graders import check_names

    return {
        "id": task.written_id,
        "number": task.id,
        "test_id": task.test_id,
        "tier": task.tier,
        "category": task.family,
        "graders": [one.type for one in task.evaluations],
        "checks": sum(len(check_names(one)) for one in task.evaluations),
    }


def _show(options: argparse.Namespace) -> int:
    from orket_lib.tasks.bank import load_bank

    task = _find(load_bank(options.bank), options.bank, options.id)
    for line in _shown(task):
        _print(line)
    return 0


def _find(bank: TaskBank, path: Path, wanted: str) -> Task:
    from orket_lib.vocabulary.errors import ArtifactError

    for task in bank.tasks:
        if wanted in (str(task.written_id), task.test_id):
            return task
    first, last = bank.tasks[0].written_id, bank.tasks[-1].written_id
    raise ArtifactError(f"{path}: there is no task {wanted[:80]!r}; there are {first} to {last}")


def _shown(task: Task) -> Iterator[str]:
    import json

    from orket_lib.tasks.bank import StructuredTask
    from orket_lib.tasks.grading.graders import check_names

    yield f"{task.test_id}: tier {task.tier}, {task.family}"
    if isinstance(task, StructuredTask):
        yield from filter(None, [task.description])
        yield f"revision: {task.revision}"
    yield from ("", "--- prompt ---")
    yield from task.prompt.split("\n")
    yield from ("--- end of prompt ---", "")
    for one in task.evaluations:
        yield f"{one.type}: {', '.join(check_names(one))}"
        content = one.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        yield from json.dumps(content, indent=1, ensure_ascii=False).split("\n")
    if isinstance(task, StructuredTask) and task.acceptance_contract:
        yield from ("", "acceptance contract and notes (for people, not scored):")
        contract = task.acceptance_contract.model_dump(mode="json")
        yield from json.dumps(contract, indent=1, ensure_ascii=False).split("\n")


def _verify(options: argparse.Namespace) -> int:
    from orket_lib.tasks.bank import load_bank
    from orket_lib.tasks.grading.graders import NO_SANDBOX, judge
    from orket_lib.tasks.solutions import load_solutions, solutions_path, verify
    from orket_lib.tasks.task import needs_sandbox

    bank = load_bank(options.bank)
    solutions = load_solutions(options.solutions or solutions_path(options.bank))
    needed = any(map(needs_sandbox, bank.tasks))
    sandbox = _sandbox(options.sandbox) if needed else NO_SANDBOX
    bad = 0
    for task, problems in verify(
        bank, solutions, lambda task, answer: judge(task, answer, sandbox)
    ):
        bad += bool(problems)
        for problem in problems:
            _print(f"{task.test_id}: {problem}")
    right = len(bank.tasks) - bad
    _print(f"{options.bank}: {right} of {_counted(len(bank.tasks), 'task')} as they should be")
    return 1 if bad else 0


def _sandbox(kinds: Sequence[str] | None) -> Sandbox | Unavailable:
    from orket_lib.artifacts.measurements.spec import WITH_WALLS
    from orket_lib.sandbox.detect import Unavailable, find_sandbox
    from orket_lib.vocabulary.errors import SandboxError

    try:
        sandbox = find_sandbox(kinds or WITH_WALLS)
    except ValueError as error:  # a kind that doesn't exist
        raise SandboxError(str(error)) from None
    if not isinstance(sandbox, Unavailable):
        tell(f"sandbox: {sandbox.description}")
    return sandbox


def _import(options: argparse.Namespace) -> int:
    from orket_lib.artifacts.io import write_json
    from orket_lib.tasks.import_bank import import_bank

    bank = import_bank(options.table, options.bank_id or options.out.stem)
    write_json(options.out, bank.model_dump(mode="json", by_alias=True))
    _print(f"{options.out}: {_counted(len(bank.tasks), 'task')}")
    return 0


def _counted(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"


def _print(text: str, to: TextIO | None = None) -> None:
    """Print a line; a bank's text may hold what a terminal obeys or can't show."""
    from orket_lib.vocabulary.text import printable

    stream = to or sys.stdout
    encoding = stream.encoding or "utf-8"
    safe = printable(text, _WIDEST).encode(encoding, "backslashreplace").decode(encoding)
    print(safe, file=stream)
