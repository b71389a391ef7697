"""Migrating a storage folder of the older layout, on first use and without measuring.

In the older layout a measurement was one report of everything that a sweep requested. Its
answers and probes become sealed parts of the cell, and the rest of the old folder is moved to
`storage/older/`.
Failed measurements are not migrated but tried again, because older versions did not distinguish a
model that can't be measured from a server that was killed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

from pydantic import ValidationError

from orket_lib.artifacts.io import read_json, read_model, write_text
from orket_lib.artifacts.measurements.canary import CanaryMeasurement
from orket_lib.artifacts.measurements.parts import Answer, Part, SealedProbe
from orket_lib.artifacts.measurements.spec import RunSpec
from orket_lib.artifacts.views.run_report import AnswerTelemetry, Probe, RunReport, TestRun
from orket_lib.config.sections.fields import from_fields
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
    """Migrate a storage folder; does nothing if it has the current layout.

    Args:
        storage: The folder.
        banks: Task banks that may contain the tasks of older measurements.
        say: Receives messages.
    """
    layout = storage / _LAYOUT
    if layout.is_file():
        return
    if storage.is_dir():
        left = [*_cells(storage, banks), *_canaries(storage)]
        for kind, room in (("series", "thermal"), ("sidecar", "sidecars")):
            for folder in sorted((storage / room).glob("*/*/*/attempts")):
                _move_up(folder, kind)
                _set_aside(storage, folder.parent / f"{kind}.json")
        done = sum(not why for why in left)
        if left:
            say(f"storage/ has the layout of an older version: migrated {done} measurements")
        for why in filter(None, left):
            say(f"not migrated: {why}")
    storage.mkdir(parents=True, exist_ok=True)
    write_text(layout, _VERSION)


def known_banks(asked: str) -> list[Path]:
    """Return the banks that may contain older tasks: the sweep's own, then all shipped ones."""
    shipped = Path(asked).parent if "task_banks" in asked else "config/task_banks"
    return [located(asked), *sorted(located(shipped).glob("*.json"))]


def _cells(storage: Path, banks: Sequence[Path]) -> Iterator[str]:
    """Migrate cells; yield why a measurement can't be migrated, or an empty text, for each."""
    known: dict[Path, TaskBank | None] = {}
    for room in ("runs", "contexts"):
        for folder in sorted((storage / room).glob("*/*/*")):
            attempts = sorted(folder.glob("attempts/*")) + sorted(folder.glob("round-*/attempts/*"))
            if not attempts:
                continue
            whys = [_migrate_attempt(storage, attempt, banks, known) for attempt in attempts]
            yield from whys
            if not any(whys):
                _set_aside(storage, folder)


def _migrate_attempt(
    storage: Path, attempt: Path, banks: Sequence[Path], known: dict[Path, TaskBank | None]
) -> str:
    try:
        old = read_json(attempt / _RUN)
        report = RunReport.model_validate({"parts": [], **old})
        tasks = _tasks_of(report.spec, banks, known)
    except (ArtifactError, ValidationError) as error:
        return f"{attempt.as_posix()}: {str(error).splitlines()[0]}"
    if tasks is None:
        return f"{attempt.as_posix()}: no task bank contains its tasks"
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
    """Yield the parts of a report."""
    spec = report.spec
    keys = {task.id: task_key(task, spec.runner is not None, spec.context) for task in tasks}
    keyed = spec.model_copy(
        update={
            "tasks": spec.tasks.model_copy(
                update={"keys": tuple(keys[number] for number in spec.tasks.ids)}
            )
        }
    )
    part = partial(
        from_fields,
        Part,
        report,
        schema_version="orket.part.v1",
        spec=keyed,
        spec_digest=spec.digest(),
    )

    def probes(found: Sequence[Probe]) -> tuple[SealedProbe, ...]:
        return tuple(SealedProbe(key=spec.probe_key, round=number, probe=it) for it in found)

    def answers(found: Sequence[TestRun]) -> tuple[Answer, ...]:
        return tuple(_answer(it, keys[it.task_id], number) for it in found)

    if report.probes:
        discarded = probes(report.discarded_probes)
        yield part(kind="probes", probes=probes(report.probes), discarded_probes=discarded)
    if report.test_runs:
        yield part(
            kind="answers",
            probes=(),
            discarded_probes=(),
            answers=answers(report.test_runs),
            discarded_answers=answers(report.discarded_runs),
        )


def _answer(run: TestRun, key: str, number: int) -> Answer:
    failed = run.outcome if run.outcome in (Outcome.ERROR, Outcome.TIMEOUT) else None
    by_runner = run.telemetry.score_source == "runner"
    return from_fields(
        Answer,
        run,
        key=key,
        round=number,
        failed=failed,
        failed_detail=run.outcome_detail,
        own_score=run.telemetry.adherence_score if by_runner and not failed else None,
        telemetry=from_fields(AnswerTelemetry, run.telemetry),
    )


def _tasks_of(
    spec: RunSpec, banks: Sequence[Path], known: dict[Path, TaskBank | None]
) -> Sequence[Task] | None:
    """Return the tasks of a measurement, from the first bank that contains them."""
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


def _move_up(attempts: Path, kind: str) -> None:
    """Move each attempt of a folder up to its current place."""
    for attempt in sorted(attempts.iterdir()):
        target = attempts.parent / attempt.name
        if (attempt / f"{kind}.json").is_file() and not target.exists():
            attempt.rename(target)


def _set_aside(storage: Path, path: Path) -> None:
    """Move the rest of an older folder to `storage/older/`."""
    target = storage / _OLDER / path.relative_to(storage)
    if path.exists() and path.name != OPEN and not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        path.rename(target)
