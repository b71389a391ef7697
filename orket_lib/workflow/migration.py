"""Bringing a storage of the older layout over, on first use and without measuring.

There, a measurement was one report for all that a sweep asked, below a digest of all of it. Its
answers and probes become sealed parts of the cell; what is left of the old folder is kept below
`storage/older/`. A failed measurement is not brought over: older versions did not tell a model that
can't be measured from a server that something had killed, so it is tried again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from orket_lib.artifacts.io import read_json, read_model, write_text
from orket_lib.artifacts.measurements.canary import CanaryMeasurement
from orket_lib.artifacts.measurements.parts import Answer, Part, SealedProbe
from orket_lib.artifacts.measurements.spec import RunSpec
from orket_lib.artifacts.views.run_report import AnswerTelemetry, Probe, RunReport, TestRun
from orket_lib.config.shipped import located
from orket_lib.stores.attempts import OPEN, AttemptStore
from orket_lib.stores.parts import CellStore
from orket_lib.tasks.bank import Task, TaskBank, load_bank, selected, task_key
from orket_lib.tasks.context_tasks import context_tasks
from orket_lib.vocabulary.errors import ArtifactError
from orket_lib.vocabulary.statuses import Outcome

_LAYOUT, _VERSION = ".layout", "2\n"
_OLDER = "older"
_RUN = "run.json"


def migrate(storage: Path, banks: Sequence[Path], say: Callable[[str], None]) -> None:
    """Bring a storage of the older layout over; does nothing where it is of this one.

    Args:
        storage: The folder.
        banks: Where the tasks of older measurements may be found.
        say: Receives what was done.
    """
    layout = storage / _LAYOUT
    if layout.is_file():
        return
    if storage.is_dir():
        left = [*_cells(storage, banks), *_canaries(storage)]
        for kind, room in (("series", "thermal"), ("sidecar", "sidecars")):
            for folder in sorted((storage / room).glob("*/*/*/attempts")):
                _lift(folder, kind)
                _set_aside(storage, folder.parent / f"{kind}.json")
        done = sum(not why for why in left)
        if left:
            say(f"storage/ is of an older version: {done} measurements were brought over")
        for why in filter(None, left):
            say(f"left where it is: {why}")
    storage.mkdir(parents=True, exist_ok=True)
    write_text(layout, _VERSION)


def known_banks(asked: str) -> list[Path]:
    """Return the banks that older tasks may be in: the sweep's own first, then all shipped ones."""
    shipped = Path(asked).parent if "task_banks" in asked else "config/task_banks"
    return [located(asked), *sorted(located(shipped).glob("*.json"))]


def _cells(storage: Path, banks: Sequence[Path]) -> Iterator[str]:
    """Yield, for each older measurement of a cell, why it can't be brought over; else nothing."""
    known: dict[Path, TaskBank | None] = {}
    for room in ("runs", "contexts"):
        for folder in sorted((storage / room).glob("*/*/*")):
            attempts = sorted(folder.glob("attempts/*")) + sorted(folder.glob("round-*/attempts/*"))
            if not attempts:
                continue
            whys = [_brought_over(storage, attempt, banks, known) for attempt in attempts]
            yield from whys
            if not any(whys):
                _set_aside(storage, folder)


def _brought_over(
    storage: Path, attempt: Path, banks: Sequence[Path], known: dict[Path, TaskBank | None]
) -> str:
    try:
        old = read_json(attempt / _RUN)
        report = RunReport.model_validate({"parts": [], **old})
        tasks = _tasks_of(report.spec, banks, known)
    except (ArtifactError, ValidationError) as error:
        return f"{attempt.as_posix()}: {str(error).splitlines()[0]}"
    if tasks is None:
        return f"{attempt.as_posix()}: no bank here holds the tasks that it asked"
    round_part = attempt.parent.parent.name
    number = int(round_part.removeprefix("round-")) if round_part.startswith("round-") else 1
    parts = list(_parts(report, tasks, number))
    store = CellStore(storage / report.spec.folder)
    if parts and not store.open.exists():
        store.describe(report.spec)
        store.open.parent.mkdir(parents=True, exist_ok=True)
        attempt.rename(store.open)
        (store.open / _RUN).rename(store.open / "older_run.json")
        store.seal(parts)
    return ""


def _parts(report: RunReport, tasks: Sequence[Task], number: int) -> Iterator[Part]:
    """Yield the parts that a report comes to."""
    spec = report.spec
    keys = {task.id: task_key(task, spec.runner is not None, spec.context) for task in tasks}
    keyed = spec.model_copy(
        update={
            "tasks": spec.tasks.model_copy(
                update={"keys": tuple(keys[number] for number in spec.tasks.ids)}
            )
        }
    )
    common = {name: getattr(report, name) for name in Part.model_fields if hasattr(report, name)}
    common |= {"schema_version": "orket.part.v1", "spec": keyed, "spec_digest": spec.digest()}
    for name in ("probes", "answers", "discarded_probes", "discarded_answers"):
        common.pop(name, None)

    def probes(found: Sequence[Probe]) -> tuple[SealedProbe, ...]:
        return tuple(SealedProbe(key=spec.probe_key, round=number, probe=it) for it in found)

    def answers(found: Sequence[TestRun]) -> tuple[Answer, ...]:
        return tuple(_answer(it, keys[it.task_id], number) for it in found)

    if report.probes:
        thrown = probes(report.discarded_probes)
        yield Part(**common, kind="probes", probes=probes(report.probes), discarded_probes=thrown)
    if report.test_runs:
        thrown_runs = answers(report.discarded_runs)
        yield Part(
            **common,
            kind="answers",
            answers=answers(report.test_runs),
            discarded_answers=thrown_runs,
        )


def _answer(run: TestRun, key: str, number: int) -> Answer:
    failed = run.outcome if run.outcome in (Outcome.ERROR, Outcome.TIMEOUT) else None
    by_runner = run.telemetry.score_source == "runner"
    telemetry: Mapping[str, Any] = {
        name: getattr(run.telemetry, name) for name in AnswerTelemetry.model_fields
    }
    return Answer(
        key=key,
        round=number,
        failed=failed,
        failed_detail=run.outcome_detail,
        own_score=run.telemetry.adherence_score if by_runner and not failed else None,
        telemetry=AnswerTelemetry(**telemetry),
        **{
            name: getattr(run, name)
            for name in Answer.model_fields
            if name in TestRun.model_fields and name != "telemetry"
        },
    )


def _tasks_of(
    spec: RunSpec, banks: Sequence[Path], known: dict[Path, TaskBank | None]
) -> Sequence[Task] | None:
    """Return the tasks that a measurement asked, from whichever bank still holds them."""
    if spec.context and spec.n_ctx:
        return context_tasks(spec.context, spec.n_ctx, spec.controls.seed)
    for path in banks:
        if path not in known:
            try:
                known[path] = load_bank(path)
            except ArtifactError:
                known[path] = None
        bank = known[path]
        if bank and (tasks := selected(bank, spec.tasks)) is not None:
            return tasks
    return None


def _canaries(storage: Path) -> Iterator[str]:
    folder = storage / "canary"
    for path in sorted([*folder.glob("*.json"), *folder.glob("closing/*/*.json")]):
        if path.name.endswith(".spec.json"):
            _set_aside(storage, path)
            continue
        try:
            measurement = read_model(path, CanaryMeasurement)
        except ArtifactError as error:
            yield str(error).splitlines()[0]
            continue
        own = folder / measurement.spec_digest
        store = AttemptStore(own if path.parent == folder else own / "closing", "canary")
        store.begin()
        store.seal(measurement, measurement.measured_at)
        _set_aside(storage, path)
        yield ""


def _lift(attempts: Path, kind: str) -> None:
    """Move each attempt of a folder up to where it lies now."""
    for attempt in sorted(attempts.iterdir()):
        target = attempts.parent / attempt.name
        if (attempt / f"{kind}.json").is_file() and not target.exists():
            attempt.rename(target)


def _set_aside(storage: Path, path: Path) -> None:
    """Move what is left of the older layout out of the way."""
    target = storage / _OLDER / path.relative_to(storage)
    if path.exists() and path.name != OPEN and not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        path.rename(target)
