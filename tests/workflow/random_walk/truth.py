"""What the views of a sweep must be: made from scratch, in another folder, from a copy of storage/.

The commands are those that Snakemake would run in that empty folder, as its dry run prints them;
here they are run one after another, each in a fork of this process, which is ten times as fast.
Now and then Snakemake itself runs them, see `Truth.by_snakemake`.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import multiprocessing
import os
import re
import shlex
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from invocation import ROOT, call

# What a config may say otherwise without any command being another one.
_IN_NO_COMMAND = {
    *("task_limit", "runs_per_quant", "probe_runs", "max_output_tokens", "n_ctx"),
    *("adherence_threshold", "latency_ceiling", "row_max_orchestration_overhead_ratio"),
}
_NEEDED = ("Snakefile", "rules", "profiles", "config", "models")
_JOB = re.compile(
    r"^(?:local)?rule (\w+):\n(?:    input: (.*)\n)?    output: (.*)\n"
    r"(?:.*\n)*?Shell command: (.*)$",
    re.MULTILINE,
)
_SLOW_TO_IMPORT = (
    *("matplotlib.pyplot", "pandas", "scipy.stats", "orket_lib.cli"),
    *(
        f"orket_lib.commands.{path.stem}"
        for path in (ROOT / "orket_lib" / "commands").glob("[a-z]*.py")
    ),
)
# What is not what a view says: when it was made, from which bytes, at which attempt.
_NOT_CONTENT = {"generated_at", "provenance", "attempt"}
# How much of disk and memory is free is another number each time; a plan says what was measured
# when it was made.
_NOT_CONTENT_OF = {"preflight.json": {"detail"}, "plan.json": {"measured"}}
_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z| UTC)?")
_READ_BY_EYE = {".md", ".html", ".csv"}
_RENDERED = ("None",)


@dataclass(frozen=True)
class Job:
    """A job of a dry run."""

    rule: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    command: tuple[str, ...]


@dataclass(frozen=True)
class Made:
    """What was made from scratch.

    Attributes:
        folder: Where.
        failed: The rules that failed.
    """

    folder: Path
    failed: tuple[str, ...]


class Truth:
    """Makes sweeps from scratch.

    Args:
        folder: In which sweeps are run.
        scratch: Where to make them anew; emptied each time.
    """

    def __init__(self, folder: Path, scratch: Path) -> None:
        self._folder = folder
        self._scratch = scratch
        self._jobs: dict[str, list[Job]] = {}
        import_what_is_slow()

    def make(self, sweep: str) -> Made:
        """Make all of a sweep, one command after another."""
        self._prepare(sweep)
        jobs = self._dry_run(sweep)
        rendered = [job.outputs[0] for job in jobs if job.command == _RENDERED]
        self._fork(_render, rendered, sweep)
        failed = [job.rule for job in jobs if job.command != _RENDERED and not self._done(job)]
        return Made(self._scratch, tuple(failed))

    def _dry_run(self, sweep: str) -> list[Job]:
        """Return the jobs of a sweep; those of configs that differ in plain values are the same."""
        config = json.loads((self._folder / f"{sweep}.json").read_bytes())
        config["canary"] = bool(config["canary"].get("closing"))
        asked = {name: value for name, value in config.items() if name not in _IN_NO_COMMAND}
        key = json.dumps(asked)
        if (known := self._jobs.get(sweep + key)) is None:
            dry = call(self._scratch, ["--configfile", f"{sweep}.json", "-n", "-p"])
            self._jobs[sweep + key] = known = in_order(jobs_of(dry.text))
        return known

    def by_snakemake(self, sweep: str) -> Made:
        """Let Snakemake make all of it."""
        self._prepare(sweep)
        done = call(self._scratch, ["--configfile", f"{sweep}.json"])
        return Made(self._scratch, ("snakemake",) if done.code else ())

    def _prepare(self, sweep: str) -> None:
        """Set up an empty folder with what the sweep took of the storage, and what is older."""
        shutil.rmtree(self._scratch, ignore_errors=True)
        self._scratch.mkdir()
        for name in _NEEDED:
            (self._scratch / name).symlink_to(ROOT / name)
        for path in self._folder.iterdir():
            if path.is_file() and path.suffix in (".json", ".py"):
                shutil.copy2(path, self._scratch)
        newest = taken(self._folder / "results" / sweep)
        storage = self._folder / "storage"
        for path in storage.rglob("*"):
            inside = path.relative_to(storage)
            if path.is_file() and "open" not in inside.parts and not _later(inside, newest):
                target = self._scratch / "storage" / inside
                target.parent.mkdir(parents=True, exist_ok=True)
                if path.stat().st_mode & 0o222:
                    shutil.copy2(path, target)
                else:
                    target.hardlink_to(path)

    def _done(self, job: Job) -> bool:
        """Do a job, and tell whether it went well."""
        whole = all((self._scratch / path).exists() for path in job.inputs)
        return whole and self._fork(_do, job) == 0

    def _fork(self, do: Callable[..., int], *arguments: object) -> int | None:
        """Do something in the scratch folder, in a process of its own; return its exit status."""
        child = multiprocessing.get_context("fork").Process(
            target=_in_folder, args=(self._scratch, do, *arguments)
        )
        child.start()
        child.join()
        return child.exitcode


def import_what_is_slow() -> None:
    """Import what all forks need, once."""
    for name in _SLOW_TO_IMPORT:
        importlib.import_module(name)


def jobs_of(text: str) -> list[Job]:
    """Return the jobs that a dry run prints."""
    return [
        Job(rule, _paths(inputs), _paths(outputs), tuple(shlex.split(command)))
        for rule, inputs, outputs, command in _JOB.findall(text)
    ]


def in_order(jobs: Sequence[Job]) -> list[Job]:
    """Return jobs so that each comes after those that make its inputs."""
    left, done = list(jobs), list[Job]()
    while left:
        to_come = {path for job in left for path in job.outputs}
        ready = [job for job in left if not to_come & set(job.inputs)]
        done += ready
        left = [job for job in left if job not in ready]
    return done


def taken(results: Path) -> dict[str, str]:
    """Return the newest measurement that a sweep's receipts take, by its folder in the storage.

    A later one, of another sweep, is none of this sweep's business.
    """
    newest: dict[str, str] = {}
    for path in results.rglob("*receipt.json"):
        with contextlib.suppress(ValueError):  # not whole: its job was killed
            for part in json.loads(path.read_bytes()).get("parts", ()):
                folder = Path(part["path"]).parent.relative_to("storage")
                name = folder.parent.as_posix()
                newest[name] = max(newest.get(name, ""), folder.name)
    return newest


def differences(real: Path, made: Path, sweep: str) -> Iterator[str]:
    """Yield the views of a sweep that are not what was made from scratch."""
    folder = Path("results", sweep)
    for path in sorted((made / folder).rglob("*")):
        inside = path.relative_to(made)
        if not path.is_file():
            continue
        if not (real / inside).is_file():
            yield f"{inside} is missing"
        elif _content(real / inside) != _content(path):
            yield f"{inside} is stale"


def _later(inside: Path, newest: dict[str, str]) -> bool:
    """Tell whether a file of the storage is of a measurement that came after the taken one."""
    for folder in inside.parents:
        last = newest.get(folder.parent.as_posix())
        if last is not None and folder.name[:1].isdigit():
            return folder.name > last
    return False


def _content(path: Path) -> Any:
    """Return what a file says."""
    if path.suffix == ".json":
        left_out = _NOT_CONTENT | _NOT_CONTENT_OF.get(path.name, set())
        return _said(json.loads(path.read_bytes()), left_out)
    if path.suffix in _READ_BY_EYE:
        return _TIME.sub("TIME", path.read_text(encoding="utf-8"))
    return path.read_bytes()


def _said(value: Any, left_out: Set[str]) -> Any:
    if isinstance(value, dict):
        return {key: _said(item, left_out) for key, item in value.items() if key not in left_out}
    return [_said(item, left_out) for item in value] if isinstance(value, list) else value


def _paths(text: str) -> tuple[str, ...]:
    return tuple(part for part in text.split(", ") if part)


def _in_folder(folder: Path, do: Callable[..., int], *arguments: object) -> None:
    os.chdir(folder)
    with Path("truth.log").open("a", encoding="utf-8") as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
    sys.exit(do(*arguments))


def _do(job: Job) -> int:
    from orket_lib.cli import main

    for output in job.outputs:
        Path(output).parent.mkdir(parents=True, exist_ok=True)
    code = main(job.command[3:])
    if code == 0:
        for output in job.outputs:  # the leaves, which only Snakemake writes
            Path(output).touch()
    return code


def _render(outputs: Sequence[str], sweep: str) -> int:
    """Write what the workflow renders itself."""
    from orket_lib.sweep.load import load_sweep
    from orket_lib.workflow.targets import Targets

    resolved = load_sweep([f"{sweep}.json"], {}, remember=False)
    targets = Targets(resolved)
    rendered = targets.rendered() | {f"{resolved.results}/plan.json": targets.plan_json}
    for output in outputs:
        Path(output).parent.mkdir(parents=True, exist_ok=True)
        Path(output).write_text(rendered[output](), encoding="utf-8")
    return 0
