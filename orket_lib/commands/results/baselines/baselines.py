"""`orket baselines`: the recorded measurements that sweeps are compared with."""

from __future__ import annotations

import argparse

from orket_lib.analysis.baselines.resolution import Resolution, Wanted, resolve
from orket_lib.artifacts.baseline import Baseline, BaselineMetadata
from orket_lib.commands._common import (
    Actions,
    add_log,
    print_json,
    print_text,
    tell,
    whole_number,
)
from orket_lib.commands._storage import add_storage_root
from orket_lib.commands.results.baselines.cells import filled_store
from orket_lib.commands.results.baselines.health import health, list_histories
from orket_lib.commands.results.baselines.sweeps import add_compare, add_record, compare, record
from orket_lib.report.baselines import records_text
from orket_lib.stores.baselines import BaselineStore
from orket_lib.stores.retention import KEEP_LAST, Per
from orket_lib.vocabulary.errors import ArtifactError, Refused

EXAMPLES = (
    "orket baselines list",
    "orket baselines show --test-id add-3",
    "orket baselines resolve --test-id add-3 --quant-tag Q4_K_M",
    "orket baselines health",
    "orket baselines prune --dry-run",
    "orket baselines pin-baseline --baseline-ref run-7",
    "orket baselines unpin-baseline --baseline-ref run-7",
    "orket baselines record --summary results/mine/quant_sweep/sweep_summary.json",
    "orket baselines compare --summary results/mine/quant_sweep/sweep_summary.json",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    actions = Actions(parser, EXAMPLES)
    listing = actions.add("list", list_histories, "list the tasks that have baselines")
    show = actions.add("show", _show, "show the records of a task, oldest first")
    find = actions.add(
        "resolve", _resolve, "find the record that a measurement would be compared with"
    )
    check = actions.add("health", health, "read every history and report problems")
    prune = actions.add("prune", _prune, "remove all but the newest unpinned records")
    pin = actions.add("pin-baseline", _pin, "protect a measurement from pruning")
    unpin = actions.add("unpin-baseline", _pin, "end that protection")
    for action in (show, find):
        action.add_argument("--test-id", required=True, help="task")
        action.add_argument("--model-id", help="only this model")
        action.add_argument("--quant-tag", help="only this quant")
    for action in (find, check):
        action.add_argument("--hardware-fingerprint", help="default: any machine")
        action.add_argument("--task-revision", help="default: any revision")
    find.add_argument("--baseline-ref", help="this measurement instead of the newest")
    for action in (check, prune):
        action.add_argument(
            "--keep-last",
            type=whole_number(1),
            default=KEEP_LAST,
            metavar="N",
            help="records to keep; default: %(default)s",
        )
        action.add_argument(
            "--per",
            type=Per,
            choices=list(Per),
            default=Per.TEST,
            help="keep N per task, or per cell of a task",
        )
    prune.add_argument("--dry-run", action="store_true", help="only print what would be removed")
    for action in (pin, unpin):
        action.add_argument("--baseline-ref", required=True, help="ref of the measurement")
    for action in (check, prune, pin, unpin):
        action.add_argument("--test-id", help="only this task")
    for action in (listing, show, find, check, prune, pin, unpin):
        action.add_argument("--json", action="store_true", help="print as JSON")
        add_storage_root(action)
        add_log(action)
    add_record(actions.add("record", record, "record measurements as baselines"))
    add_compare(actions.add("compare", compare, "compare a sweep with its baselines"))


def run(options: argparse.Namespace) -> int:
    """Run the action."""
    return int(options.act(options))


def _show(options: argparse.Namespace) -> int:
    history = _required(filled_store(options), options.test_id)
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
            f"{options.test_id}: no baseline of that model and quant; it has "
            f"{', '.join(' '.join(cell) for cell in sorted(cells))}"
        )
    if options.json:
        print_json(
            {
                "test_id": options.test_id,
                "history": [item.model_dump(mode="json") for item in records],
            }
        )
    else:
        print_text(records_text(records))
    return 0


def _resolve(options: argparse.Namespace) -> int:
    resolved = resolve(
        filled_store(options).history(options.test_id),
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
                "baseline": found.model_dump(mode="json") if found else None,
            }
        )
    else:
        ref = f" {found.baseline_metadata.test_run_id}" if found else ""
        print_text(f"{options.test_id}: {resolved.status.value}{ref}")
    return 0 if resolved.status is Resolution.OK else Refused.exit_code


def _prune(options: argparse.Namespace) -> int:
    """Remove records, and print them even if a later history can't be changed."""
    store = filled_store(options)
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
        print_text(f"{test_id}  {item.created_at}  {item.test_run_id}")
    tell(f"{len(removed)} records {'would be removed' if options.dry_run else 'removed'}")


def _pin(options: argparse.Namespace) -> int:
    """Pin or unpin, and print where, even if a later history can't be changed."""
    store, pinned = filled_store(options), options.action == "pin-baseline"
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
    """Return the history of `--test-id`.

    Raises:
        ArtifactError: There is none, or it can't be read.
    """
    history = store.history(test_id)
    if not history:
        raise ArtifactError(
            f"--test-id {test_id}: has no baselines; `orket baselines list` shows the tasks that do"
        )
    return history


def _readable_ids(store: BaselineStore, chosen: str | None) -> tuple[str, ...]:
    """Return the chosen task, or all, after reading their histories in full.

    Raises:
        ArtifactError: One can't be read. Then none is changed.
    """
    found = store.test_ids() if chosen is None else (chosen,)
    for test_id in found:
        store.history(test_id)
    return found
