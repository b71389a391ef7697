"""`orket tasks`: validate, list, show, verify, import and generate task banks."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TextIO, get_args

from orket_lib.artifacts.io import write_json
from orket_lib.artifacts.measurements.spec import WITH_WALLS
from orket_lib.commands._common import Actions, add_log, print_json, tell
from orket_lib.config.shipped import located
from orket_lib.report.formatting import aligned
from orket_lib.sandbox.detect import Unavailable, find_sandbox
from orket_lib.sandbox.jobs import Sandbox
from orket_lib.tasks.bank import StructuredTask, Task, TaskBank, load_bank
from orket_lib.tasks.bank_problems import bank_findings
from orket_lib.tasks.generators import FAMILIES
from orket_lib.tasks.generators.bank import FAMILIES_WITHOUT_CODE, SHIPPED, generate
from orket_lib.tasks.grading.graders import NO_SANDBOX, check_names, judge
from orket_lib.tasks.importing.import_bank import import_bank
from orket_lib.tasks.importing.recognise import ImportOptions
from orket_lib.tasks.shipped_banks import bank_file
from orket_lib.tasks.solutions import load_solutions, solutions_path, verify
from orket_lib.tasks.task import QuestionGrader, needs_sandbox
from orket_lib.vocabulary.errors import ArtifactError, SandboxError
from orket_lib.vocabulary.text import printable

_WIDEST = 2000  # characters of a line that are shown of a bank's text


EXAMPLES = (
    "orket tasks validate my_bank.json",
    "orket tasks list config/task_banks/mixed.json",
    "orket tasks show my_bank.json add-3",
    "orket tasks verify my_bank.json",
    "orket tasks import questions.csv --out my_bank.json",
    "orket tasks generate --out my_bank.json -n 200",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    actions = Actions(parser, EXAMPLES)
    check = actions.add("validate", _validate, "report every problem of these banks")
    check.add_argument("banks", type=_bank, nargs="+", metavar="BANK", help="task banks")
    listing = actions.add("list", _list, "list the tasks of a bank")
    listing.add_argument("bank", type=_bank, metavar="BANK", help="task bank")
    listing.add_argument("--json", action="store_true", help="print the list as JSON")
    show = actions.add("show", _show, "show the prompt of a task and its graders")
    show.add_argument("bank", type=_bank, metavar="BANK", help="task bank")
    show.add_argument("id", metavar="ID", help="id as written in the bank, or test_id")
    proof = actions.add("verify", _verify, "check that reference solutions pass and mutations fail")
    proof.add_argument("bank", type=_bank, metavar="BANK", help="task bank")
    proof.add_argument("--solutions", type=Path, help="default: BANK's name with .solutions.json")
    proof.add_argument(
        "--sandbox",
        nargs="+",
        metavar="KIND",
        help="sandboxes that may run code, in order of preference; default: the isolating ones",
    )
    _add_import(actions)
    _add_generate(actions)
    for action in (check, listing, show, proof):
        add_log(action)


def _add_import(actions: Actions) -> None:
    load = actions.add("import", _import, "make a bank from your own tasks, or only prompts")
    load.add_argument(
        "table",
        type=Path,
        metavar="FILE",
        help="CSV, JSONL, JSON, text with a prompt in each line, or YAML of promptfoo or lm-eval",
    )
    load.add_argument("--out", type=Path, required=True, metavar="BANK", help="bank to write")
    load.add_argument("--bank-id", help="name of the bank; default: the file's name")
    load.add_argument(
        "--map",
        action="append",
        default=[],
        type=_mapping,
        metavar="NAME=COLUMN",
        help="which column is the prompt, the answer, ...; such as prompt=question",
    )
    load.add_argument(
        "--grader",
        choices=get_args(QuestionGrader),
        help="grader of tasks that name none; agrees: there are no right answers, so that answers "
        "are only compared with the baseline's",
    )
    load.add_argument("--encoding", help="of the file; default: utf-8, or utf-16 if it is marked")
    load.add_argument("--data", type=Path, metavar="FILE", help="rows of an lm-eval task")
    load.add_argument(
        "--skip", action="store_true", help="leave out what can't be imported, and list it"
    )
    add_log(load)


def _add_generate(actions: Actions) -> None:
    make = actions.add("generate", _generate, "make a bank of generated tasks")
    make.add_argument("--out", type=Path, required=True, metavar="BANK", help="bank to write")
    make.add_argument(
        *("-n", "--tasks"), type=int, default=SHIPPED, help=f"number of tasks (default: {SHIPPED})"
    )
    make.add_argument("--seed", type=int, default=1, help="another one gives other tasks")
    make.add_argument(
        "--levels", type=_levels, default=(1, 2, 3), metavar="N-M", help="difficulty, 1-6"
    )
    make.add_argument(
        "--families",
        nargs="+",
        default=FAMILIES_WITHOUT_CODE,
        metavar="NAME",
        help=f"of {', '.join(FAMILIES)}; functions needs a sandbox (default: all others)",
    )
    add_log(make)


def _mapping(text: str) -> tuple[str, str]:
    name, equals, column = text.partition("=")
    if not (name and equals and column):
        raise argparse.ArgumentTypeError(f"NAME=COLUMN, such as prompt=question, got {text!r}")
    return name.strip(), column


def _bank(named: str) -> Path:
    """Return the path of a bank; shipped ones have names."""
    return located(bank_file(named))


def _levels(text: str) -> tuple[int, ...]:
    """Return the levels of `2` or `1-3`."""
    first, _, last = text.partition("-")
    try:
        levels = tuple(range(int(first), int(last or first) + 1))
    except ValueError:
        levels = ()
    if not levels:
        raise argparse.ArgumentTypeError(f"must be a level or two, such as 2 or 1-3, got {text!r}")
    return levels


def run(options: argparse.Namespace) -> int:
    """Run the action."""
    return int(options.act(options))


def _validate(options: argparse.Namespace) -> int:
    wrong = []
    for path in options.banks:
        try:
            bank = load_bank(path)
        except ArtifactError as error:
            wrong.append(path)
            for line in str(error).split("\n"):
                _print(line, to=sys.stderr)
            continue
        findings = bank_findings(bank)
        for finding in findings:
            kind = "warning" if finding.is_warning else "problem"
            _print(f"{path}: {kind}: {finding.text}", to=sys.stderr)
        problems = sum(not finding.is_warning for finding in findings)
        wrong += [path] * bool(problems)
        said = _counted(problems, "problem") if problems else "no problems"
        _print(f"{path}: {_counted(len(bank.tasks), 'task')}, {said}")
    return 1 if wrong else 0


def _list(options: argparse.Namespace) -> int:
    rows = [_row(task) for task in load_bank(options.bank).tasks]
    if options.json:
        print_json({"bank": str(options.bank), "tasks": rows})
        return 0
    columns = ("id", "number", "tier", "category", "graders", "checks")
    cells = [[_cell(row[column]) for column in columns] for row in rows]
    for line in aligned([columns, *cells]):
        _print(line)
    return 0


def _cell(value: object) -> str:
    return "+".join(value) if isinstance(value, list) else str(value)


def _row(task: Task) -> dict[str, Any]:
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
    task = _find(load_bank(options.bank), options.bank, options.id)
    for line in _shown(task):
        _print(line)
    return 0


def _find(bank: TaskBank, path: Path, wanted: str) -> Task:
    for task in bank.tasks:
        if wanted in (str(task.written_id), task.test_id):
            return task
    first, last = bank.tasks[0].written_id, bank.tasks[-1].written_id
    raise ArtifactError(f"{path}: no task {wanted[:80]!r}; it has {first} to {last}")


def _shown(task: Task) -> Iterator[str]:
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
        yield from ("", "acceptance contract and notes (not scored):")
        contract = task.acceptance_contract.model_dump(mode="json")
        yield from json.dumps(contract, indent=1, ensure_ascii=False).split("\n")


def _verify(options: argparse.Namespace) -> int:
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
    _print(f"{options.bank}: {right} of {_counted(len(bank.tasks), 'task')} verified")
    return 1 if bad else 0


def _sandbox(kinds: Sequence[str] | None) -> Sandbox | Unavailable:
    try:
        sandbox = find_sandbox(kinds or WITH_WALLS)
    except ValueError as error:  # a kind that doesn't exist
        raise SandboxError(str(error)) from None
    if not isinstance(sandbox, Unavailable):
        tell(f"sandbox: {sandbox.description}")
    return sandbox


def _import(options: argparse.Namespace) -> int:
    asked = ImportOptions(
        columns=dict(options.map),
        grader=options.grader,
        encoding=options.encoding,
        data=options.data,
        skip=options.skip,
    )
    for source in filter(None, (options.table, options.data)):
        if options.out.resolve() == source.resolve():
            raise ArtifactError(f"--out {options.out}: is the file to import; name another one")
    imported = import_bank(options.table, options.bank_id or options.out.stem, asked)
    # Fields that were not set stay out: graders tell apart `null` and nothing.
    bank = imported.bank.model_dump(mode="json", by_alias=True, exclude_unset=True)
    write_json(options.out, bank)
    _print(f"{options.out}: {_counted(len(imported.bank.tasks), 'task')}")
    for note in imported.notes:
        _print(note, to=sys.stderr)
    return 0


def _generate(options: argparse.Namespace) -> int:
    made = generate(options.families, options.levels, options.tasks, options.seed)
    write_json(options.out, made)
    _print(f"{options.out}: {_counted(len(made['tasks']), 'task')}")
    return 0


def _counted(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"


def _print(text: str, to: TextIO | None = None) -> None:
    """Print a line of untrusted text, with control characters made visible."""
    stream = to or sys.stdout
    encoding = stream.encoding or "utf-8"
    safe = printable(text, _WIDEST).encode(encoding, "backslashreplace").decode(encoding)
    print(safe, file=stream)
