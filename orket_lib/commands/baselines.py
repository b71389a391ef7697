"""`orket baselines`: the histories that sweeps are held to."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from orket_lib.commands._baseline_cells import add_storage_root, store_of
from orket_lib.commands._baseline_sweeps import add_compare, add_record, compare, record
from orket_lib.commands._common import add_log, print_json, tell

if TYPE_CHECKING:
    from orket_lib.artifacts.baseline import Baseline, BaselineMetadata
    from orket_lib.stores.baselines import BaselineStore
    from orket_lib.stores.retention import Per

_NOT_FOUND = 3


@dataclass(frozen=True)
class _History:
    """One history file, in figures.

    Attributes:
        test_id: Whose it is; None where the file doesn't tell.
        file: Its name.
        records: In it.
        pinned: Of them.
        cells: (model, quant) pairs among them.
        oldest: When the first one was measured.
        newest: When the last one was.
        outdated: Records that `prune` would remove.
        problem: Why it can't be used; None when it can.
    """

    test_id: str | None
    file: str
    records: int = 0
    pinned: int = 0
    cells: int = 0
    oldest: str | None = None
    newest: str | None = None
    outdated: int = 0
    problem: str | None = None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    from orket_lib.stores.retention import KEEP_LAST, Per

    actions = parser.add_subparsers(dest="action", required=True, metavar="action")
    listing = actions.add_parser("list", help="list the tasks that have baselines")
    show = actions.add_parser("show", help="show the records of a task, oldest first")
    find = actions.add_parser("resolve", help="say which record a measurement is held to")
    health = actions.add_parser("health", help="read every history and say what is wrong")
    prune = actions.add_parser("prune", help="remove all but the newest unpinned records")
    pin = actions.add_parser("pin-baseline", help="keep a measurement through every prune")
    unpin = actions.add_parser("unpin-baseline", help="let it be pruned again")
    for action in (show, find):
        action.add_argument("--test-id", required=True)
    for action in (show, find):
        action.add_argument("--model-id")
        action.add_argument("--quant-tag")
    find.add_argument("--hardware-fingerprint", help="default: of any machine")
    find.add_argument("--task-revision", help="default: any content of the task")
    find.add_argument("--baseline-ref", help="this measurement, not the newest one")
    for action in (health, prune):
        action.add_argument("--keep-last", type=_at_least_one, default=KEEP_LAST, metavar="N")
        action.add_argument(
            "--per", type=Per, choices=list(Per), default=Per.TEST, help="what N is counted over"
        )
    prune.add_argument("--dry-run", action="store_true", help="only say what would go")
    for action in (pin, unpin):
        action.add_argument("--baseline-ref", required=True)
    for action in (prune, pin, unpin):
        action.add_argument("--test-id", help="of one task only")
    for action in (listing, show, find, health, prune, pin, unpin):
        action.add_argument("--json", action="store_true", help="print as JSON")
        add_storage_root(action)
        add_log(action)
    add_record(actions.add_parser("record", help="make measurements baselines"))
    add_compare(actions.add_parser("compare", help="hold a sweep against its baselines"))


def run(options: argparse.Namespace) -> int:
    """Do what is asked for."""
    actions = {
        "list": _list,
        "show": _show,
        "resolve": _resolve,
        "health": _health,
        "prune": _prune,
        "pin-baseline": _pin,
        "unpin-baseline": _pin,
        "record": record,
        "compare": compare,
    }
    return actions[options.action](options)


def _list(options: argparse.Namespace) -> int:
    store = store_of(options)
    found = [_history(store, store.test_id_in(path), path) for path in store.files()]
    _print_histories(found, options.json)
    return 0


def _show(options: argparse.Namespace) -> int:
    from orket_lib.report.baselines import records_text
    from orket_lib.vocabulary.errors import ArtifactError

    history = _required(store_of(options), options.test_id)
    records = [
        item
        for item in history
        if options.model_id in (None, item.baseline_metadata.model_id)
        and options.quant_tag in (None, item.baseline_metadata.quant_tag)
    ]
    if not records:
        cells = {
            (item.baseline_metadata.model_id, item.baseline_metadata.quant_tag) for item in history
        }
        raise ArtifactError(
            f"{options.test_id}: no baseline of that model and quant; there are "
            f"{', '.join(' '.join(cell) for cell in sorted(cells))}"
        )
    if options.json:
        print_json({"test_id": options.test_id, "history": [_dumped(item) for item in records]})
    else:
        print(records_text(records))  # noqa: T201
    return 0


def _resolve(options: argparse.Namespace) -> int:
    from orket_lib.analysis.baseline_resolution import Resolution, Wanted, resolve

    resolved = resolve(
        store_of(options).history(options.test_id),
        Wanted(
            hardware_fingerprint=options.hardware_fingerprint,
            task_revision=options.task_revision,
            model_id=options.model_id,
            quant_tag=options.quant_tag,
            baseline_ref=options.baseline_ref,
        ),
    )
    found = resolved.baseline
    if options.json:
        print_json(
            {
                "test_id": options.test_id,
                "status": resolved.status.value,
                "baseline": _dumped(found) if found else None,
            }
        )
    else:
        ref = f" {found.baseline_metadata.test_run_id}" if found else ""
        print(f"{options.test_id}: {resolved.status.value}{ref}")  # noqa: T201
    return 0 if resolved.status is Resolution.OK else _NOT_FOUND


def _health(options: argparse.Namespace) -> int:
    """Read everything; a history that can't be read is told of and doesn't hide the others."""
    store, found = store_of(options), []
    for path in store.files():
        found.append(_readable(store, path, options.keep_last, options.per))
    _print_histories(found, options.json)
    broken = [item for item in found if item.problem]
    for item in broken:
        tell(f"{item.file}: {item.problem}")
    return 1 if broken else 0


def _prune(options: argparse.Namespace) -> int:
    """Remove, and say what was removed, also when a later history can't be changed."""
    store = store_of(options)
    if options.test_id is not None:
        _required(store, options.test_id)
    removed: list[tuple[str, BaselineMetadata]] = []
    try:
        for test_id in _readable_ids(store, options.test_id):
            gone = store.prune(test_id, options.keep_last, options.per, options.dry_run)
            removed += [(test_id, item.baseline_metadata) for item in gone]
    finally:
        _print_removed(removed, options)
    return 0


def _print_removed(
    removed: list[tuple[str, BaselineMetadata]], options: argparse.Namespace
) -> None:
    if options.json:
        print_json(
            {
                "dry_run": options.dry_run,
                "keep_last": options.keep_last,
                "per": options.per,
                "removed": [
                    {
                        "test_id": test_id,
                        "baseline_ref": item.test_run_id,
                        "created_at": item.created_at,
                    }
                    for test_id, item in removed
                ],
            }
        )
        return
    for test_id, item in removed:
        print(f"{test_id}  {item.created_at}  {item.test_run_id}")  # noqa: T201
    tell(f"{len(removed)} records {'would be removed' if options.dry_run else 'removed'}")


def _pin(options: argparse.Namespace) -> int:
    """Pin or unpin, and say where that was done, also when a later history can't be changed."""
    from orket_lib.vocabulary.errors import ArtifactError

    store, pinned = store_of(options), options.action == "pin-baseline"
    changed: list[str] = []
    try:
        for test_id in _readable_ids(store, options.test_id):
            if store.pin(test_id, options.baseline_ref, pinned):
                changed.append(test_id)
    except ArtifactError:
        _print_pinned(changed, pinned, options)
        raise
    if not changed:
        of = f" of {options.test_id}" if options.test_id else ""
        raise ArtifactError(f"{options.baseline_ref}: no baseline{of} has that ref")
    _print_pinned(changed, pinned, options)
    return 0


def _print_pinned(changed: list[str], pinned: bool, options: argparse.Namespace) -> None:
    if options.json:
        print_json({"baseline_ref": options.baseline_ref, "pinned": pinned, "test_ids": changed})
    else:
        tell(f"{'pinned' if pinned else 'unpinned'} in {len(changed)} histories")


def _required(store: BaselineStore, test_id: str) -> tuple[Baseline, ...]:
    """Return the history of a task that somebody named.

    Raises:
        ArtifactError: It has none, or it can't be read.
    """
    from orket_lib.vocabulary.errors import ArtifactError

    history = store.history(test_id)
    if not history:
        raise ArtifactError(
            f"--test-id {test_id}: has no baselines; `orket baselines list` shows what has"
        )
    return history


def _readable_ids(store: BaselineStore, chosen: str | None) -> tuple[str, ...]:
    """Return the chosen task, or all, after their histories were read in full.

    Raises:
        ArtifactError: One of them can't be read: nothing is changed before it has been looked at.
    """
    found = store.test_ids() if chosen is None else (chosen,)
    for test_id in found:
        store.history(test_id)
    return found


def _readable(store: BaselineStore, path: Path, keep_last: int, per: Per) -> _History:
    from orket_lib.vocabulary.errors import ArtifactError

    try:
        test_id = store.test_id_in(path)
        gone = store.prune(test_id, keep_last, per, dry_run=True)
        return _history(store, test_id, path, len(gone))
    except ArtifactError as error:
        return _History(None, path.name, problem=str(error))


def _history(store: BaselineStore, test_id: str, path: Path, outdated: int = 0) -> _History:
    records = [item.baseline_metadata for item in store.history(test_id)]
    return _History(
        test_id=test_id,
        file=path.name,
        records=len(records),
        pinned=sum(item.pinned for item in records),
        cells=len({(item.model_id, item.quant_tag) for item in records}),
        oldest=records[0].created_at if records else None,
        newest=records[-1].created_at if records else None,
        outdated=outdated,
    )


def _print_histories(found: list[_History], as_json: bool) -> None:
    from orket_lib.report.baselines import aligned

    if as_json:
        print_json({"histories": [asdict(item) for item in found]})
        return
    print(aligned(list(_rows(found))))  # noqa: T201


def _rows(found: list[_History]) -> Iterator[tuple[str, ...]]:
    yield ("task", "records", "pinned", "cells", "outdated", "oldest", "newest")
    for item in found:
        figures = map(str, (item.records, item.pinned, item.cells, item.outdated))
        name = item.test_id or f"{item.file} (can't be read)"
        yield (name, *figures, item.oldest or "", item.newest or "")


def _dumped(item: Baseline) -> dict[str, object]:
    return item.model_dump(mode="json")


def _at_least_one(text: str) -> int:
    try:
        value = int(text)
    except ValueError:
        value = 0
    if value < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number of at least 1, not {text!r:.80}")
    return value
