"""`orket history`: add, list, compare and plot the results of earlier sweeps."""

from __future__ import annotations

import argparse
from pathlib import Path

from orket_lib.analysis.history.compare import (
    METRICS,
    StoredArtifact,
    by_time,
    compare,
    described,
    models_of,
    over_time,
)
from orket_lib.artifacts.history import HistoryList, HistoryOverTime
from orket_lib.artifacts.io import parse_model, read_json
from orket_lib.commands._common import Actions, add_log, print_json, print_text, tell
from orket_lib.commands._storage import add_storage_root, say_if_empty
from orket_lib.report.history import comparison_text, list_text
from orket_lib.report.plots.history import plot_history
from orket_lib.stores.explorers import STORES, append, identity
from orket_lib.stores.roots import StoreName
from orket_lib.vocabulary.errors import ArtifactError

EXAMPLES = (
    "orket history add results/mine/quant_sweep/frontier_explorer.json",
    "orket history list",
    "orket history compare 1a2b 3c4d",
    "orket history plot --metric adherence_score --out adherence.png",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    stores = [name.value for name in StoreName if name is not StoreName.BASELINES]
    actions = Actions(parser, EXAMPLES)
    adding = actions.add("add", _add, "add an artifact to its history, unless it is there")
    adding.add_argument(
        "artifact", type=Path, metavar="ARTIFACT", help="frontier_explorer.json, ..."
    )
    listing = actions.add("list", _list, "list the records, oldest first")
    comparing = actions.add("compare", _compare, "show what changed between two records")
    comparing.add_argument("old", metavar="OLD", help="id of a record, or its first digits")
    comparing.add_argument("new", metavar="NEW", help="id of a record, or its first digits")
    plot = actions.add("plot", _plot, "plot a metric over time")
    plot.add_argument("--metric", required=True, help="such as adherence_score or total_latency")
    plot.add_argument("--quant-tag", help="only this quant")
    plot.add_argument("--out", type=Path, required=True, help="the picture (PNG)")
    for action in (listing, comparing, plot):
        action.add_argument("--json", action="store_true", help="print as JSON")
        action.add_argument(
            "--store", choices=stores, default=stores[0], help="default: %(default)s"
        )
    for action in (listing, plot):
        action.add_argument("--model-id", help="only this model")
    for action in (adding, listing, comparing, plot):
        add_storage_root(action)
        add_log(action)


def run(options: argparse.Namespace) -> int:
    """Run the action."""
    return int(options.act(options))


def keep(root: Path, artifact: Path) -> None:
    """Add an artifact to its history.

    Raises:
        ArtifactError: It could not be added. The message says that the artifact itself exists.
    """
    content = read_json(artifact)
    try:
        path, added = append(root, content, artifact)
    except ArtifactError as error:
        raise ArtifactError(
            f"{error}\n{artifact} was written, but not added to its history"
        ) from None
    where = f"{'added to' if added else 'is already in'} {path.as_posix()}"
    tell(f"{artifact}: {where}", routine=True)


def _add(options: argparse.Namespace) -> int:
    keep(options.storage_root, options.artifact)
    return 0


def _list(options: argparse.Namespace) -> int:
    kept, damaged = _kept(options)
    found = HistoryList(records=[described(one) for one in kept])
    if options.json:
        print_json(found)
    elif kept:
        print_text(list_text(found))
    return _report(damaged)


def _compare(options: argparse.Namespace) -> int:
    kept, damaged = _kept(options)
    comparison = compare(_named(kept, options.old), _named(kept, options.new))
    if options.json:
        print_json(comparison)
    else:
        print_text(comparison_text(comparison))
    return _report(damaged)


def _plot(options: argparse.Namespace) -> int:

    allowed = METRICS[options.store]
    if options.metric not in allowed:
        raise ArtifactError(
            f"{options.store} have no {options.metric!r}; they have {', '.join(allowed)}"
        )
    kept, damaged = _kept(options)
    found = HistoryOverTime(
        metric=options.metric, series=over_time(kept, options.metric, options.quant_tag)
    )
    if not found.series:
        raise ArtifactError(f"{options.storage_root / options.store}: no such record")
    plot_history(found, options.out)
    if options.json:
        print_json(found)
    return _report(damaged)


def _kept(options: argparse.Namespace) -> tuple[list[StoredArtifact], list[ArtifactError]]:
    """Return the records of a store, oldest first, and the errors of unreadable files."""
    store = STORES[options.store]
    say_if_empty(options.storage_root, store.folder)
    kept: list[StoredArtifact] = []
    damaged: list[ArtifactError] = []
    for file in store.files(options.storage_root):
        try:
            found = [
                StoredArtifact(
                    identity(entry), store.folder, parse_model(entry, store.record, file.path)
                )
                for entry in file.read()
            ]
            kept += by_time(found)
        except ArtifactError as error:
            damaged.append(error)
        except ValueError as error:
            damaged.append(ArtifactError(f"{file.path}: {error}"))
    wanted = getattr(options, "model_id", None)
    chosen = [one for one in by_time(kept) if wanted is None or wanted in models_of(one.artifact)]
    if kept and not chosen:
        tell(f"{options.store}: no record of model {wanted!r:.80}")
    return chosen, damaged


def _named(kept: list[StoredArtifact], wanted: str) -> StoredArtifact:
    found = {one.id: one for one in kept if one.id.startswith(wanted)}
    if len(found) != 1:
        raise ArtifactError(
            f"{wanted!r:.80} matches {len(found) or 'no'} ids; `orket history list` shows them"
        )
    return next(iter(found.values()))


def _report(damaged: list[ArtifactError]) -> int:
    """Print the errors and return the exit code."""
    for error in damaged:
        tell(f"error: {error}")
    return 1 if damaged else 0
