"""`orket history`: what earlier sweeps found here; records are added, listed, compared, drawn."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from orket_lib.commands._common import add_log, print_json, tell
from orket_lib.commands._storage import add_storage_root, say_if_empty
from orket_lib.vocabulary.errors import ArtifactError

if TYPE_CHECKING:
    from orket_lib.analysis.history.compare import StoredArtifact


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    from orket_lib.stores.roots import StoreName

    stores = [name.value for name in StoreName if name is not StoreName.BASELINES]
    actions = parser.add_subparsers(dest="action", required=True, metavar="action")
    keep = actions.add_parser("add", help="add an artifact to its history; twice is once")
    keep.add_argument("artifact", type=Path, metavar="ARTIFACT", help="frontier_explorer.json, ...")
    listing = actions.add_parser("list", help="list the records, the oldest first")
    compare = actions.add_parser("compare", help="say what changed between two records")
    compare.add_argument("old", metavar="OLD", help="id of a record, or its first digits")
    compare.add_argument("new", metavar="NEW", help="id of a record, or its first digits")
    plot = actions.add_parser("plot", help="draw a metric over time")
    plot.add_argument("--metric", required=True, help="such as adherence_score, total_latency")
    plot.add_argument("--quant-tag", help="only of this quant")
    plot.add_argument("--out", type=Path, required=True, help="the picture (PNG)")
    for action in (listing, compare, plot):
        action.add_argument("--json", action="store_true", help="print as JSON")
        action.add_argument(
            "--store", choices=stores, default=stores[0], help="default: %(default)s"
        )
    for action in (listing, plot):
        action.add_argument("--model-id", help="only records of this model")
    for action in (keep, listing, compare, plot):
        add_storage_root(action)
        add_log(action)


def run(options: argparse.Namespace) -> int:
    """Do what is asked for."""
    actions: dict[str, Callable[[argparse.Namespace], int]] = {
        "add": _add,
        "list": _list,
        "compare": _compare,
        "plot": _plot,
    }
    return actions[options.action](options)


def keep(root: Path, artifact: Path) -> None:
    """Add an artifact to its history.

    Raises:
        ArtifactError: It could not be added; the message says that the artifact itself is there.
    """
    from orket_lib.artifacts.io import read_json
    from orket_lib.stores.explorers import append

    content = read_json(artifact)
    try:
        path, added = append(root, content, artifact)
    except ArtifactError as error:
        raise ArtifactError(
            f"{error}\n{artifact} is there and was not added to a history"
        ) from None
    tell(f"{artifact}: {'added to' if added else 'is already in'} {path.as_posix()}")


def _add(options: argparse.Namespace) -> int:
    keep(options.storage_root, options.artifact)
    return 0


def _list(options: argparse.Namespace) -> int:
    from orket_lib.analysis.history.compare import described
    from orket_lib.artifacts.history import HistoryList
    from orket_lib.report.history import list_text

    kept, damaged = _kept(options)
    found = HistoryList(records=[described(one) for one in kept])
    if options.json:
        print_json(found)
    elif kept:
        tell(list_text(found))
    return _report(damaged)


def _compare(options: argparse.Namespace) -> int:
    from orket_lib.analysis.history.compare import compare
    from orket_lib.report.history import comparison_text

    kept, damaged = _kept(options)
    comparison = compare(_named(kept, options.old), _named(kept, options.new))
    if options.json:
        print_json(comparison)
    else:
        tell(comparison_text(comparison))
    return _report(damaged)


def _plot(options: argparse.Namespace) -> int:
    from orket_lib.analysis.history.compare import METRICS, over_time
    from orket_lib.artifacts.history import HistoryOverTime
    from orket_lib.report.plots.history import plot_history

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
        raise ArtifactError(f"{options.storage_root / options.store}: no such record is kept there")
    plot_history(found, options.out)
    if options.json:
        print_json(found)
    return _report(damaged)


def _kept(options: argparse.Namespace) -> tuple[list[StoredArtifact], list[ArtifactError]]:
    """Return the records of a store, the oldest first, and what is wrong with files of it."""
    from orket_lib.analysis.history.compare import StoredArtifact, by_time, models_of
    from orket_lib.artifacts.io import parse_model
    from orket_lib.stores.explorers import STORES, identity

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
            f"{wanted!r:.80} is the beginning of {len(found) or 'no'} ids; `orket history list` "
            "shows them"
        )
    return next(iter(found.values()))


def _report(damaged: list[ArtifactError]) -> int:
    """Say what could not be read; return the exit code."""
    for error in damaged:
        tell(f"error: {error}")
    return 1 if damaged else 0
