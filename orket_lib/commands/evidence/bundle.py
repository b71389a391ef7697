"""`orket bundle`: pack a sweep, its measurements and what made them into one archive."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from orket_lib.artifacts.bundle import BundledFile, BundleManifest
from orket_lib.artifacts.digest import canonical_json
from orket_lib.artifacts.io import read_json, read_model, sha256_of_file
from orket_lib.artifacts.measurements.request import AskedReceipts, AskedTasks
from orket_lib.artifacts.views.receipt import AnyReceipt, TakenPart
from orket_lib.commands._common import add_log, print_text
from orket_lib.commands._summaries import add_sweep, summary_of
from orket_lib.commands.evidence.steps import Steps
from orket_lib.config.loading.parse import parse
from orket_lib.config.shipped import located
from orket_lib.processes.signatures import sign
from orket_lib.stores.bundles import is_plain, pack
from orket_lib.telemetry.environment import environment
from orket_lib.vocabulary.errors import ArtifactError
from orket_lib.vocabulary.shell import shell_line
from orket_lib.vocabulary.slugs import slugs

_OF_MODELS = ("context_sweep", "thermal", "fidelity", "looks")

EXAMPLES = ("orket bundle", "orket bundle mine --out mine.zip --sign ~/.ssh/id_ed25519")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    add = parser.add_argument
    add_sweep(parser)
    add("--out", type=Path, metavar="FILE", help="the bundle; default: SWEEP.orket.zip")
    add("--sign", type=Path, metavar="KEY", help="sign it with this private SSH key")
    add_log(parser)


def run(options: argparse.Namespace) -> int:
    """Collect the files, hash them, and write the archive."""
    results = _results(summary_of(options.sweep))
    files = _files(results)
    bank = _input(files, "bank", read_model(results / "policy/tasks.json", AskedTasks).bank)
    config = parse(read_json(results / "policy/matrix.json"))
    policy = _input(files, "kpi_policy", config.kpi_policy)
    for name in list(Steps(results.name, policy, files).strangers()):
        del files[name]  # of an earlier config, or the user's own
    manifest = BundleManifest(
        sweep=results.name,
        bank=bank,
        kpi_policy=policy,
        bundled_with=environment(),
        files=tuple(
            BundledFile(path=name, bytes=path.stat().st_size, sha256=sha256_of_file(path))
            for name, path in sorted(files.items())
        ),
    )
    _refuse_changed(manifest, files)
    content = canonical_json(manifest.model_dump(mode="json")).encode()
    signature = sign(content, options.sign) if options.sign else None
    out = options.out or Path(f"{results.name}.orket.zip")
    pack(out, content, files, signature)
    print_text(
        f"{out}: {len(files)} files, {out.stat().st_size / 1e6:.1f} MB, "
        f"{'signed' if signature else 'not signed'}\nto check it, type: "
        f"{shell_line(['orket', 'verify', str(out)])}"
    )
    return 0


def _results(summary: Path) -> Path:
    """Return the folder of a sweep's views, as `results/SWEEP`.

    Raises:
        ArtifactError: The sweep was run in another folder, and so are its measurements.
    """
    results = Path("results", summary.resolve().parents[1].name)
    if not summary.resolve().is_relative_to(results.resolve()):
        raise ArtifactError(
            f"{summary}: run the command in the folder in which the sweep was run, which has its "
            "results/ and storage/"
        )
    return results


def _files(results: Path) -> dict[str, Path]:
    """Return the files of a sweep and the measurements that its receipts name, by path.

    Raises:
        ArtifactError: A measurement is missing, or outside this folder.
    """
    files = {path.as_posix(): path for path in _views(results)}
    for taken in list(_taken(files)):
        path = Path(taken.path)
        if not is_plain(taken.path) or not path.is_file():
            raise ArtifactError(
                f"{taken.path}: a measurement of this sweep is not in this folder; run the command "
                "in the folder in which the sweep was run"
            )
        measured = [it for it in path.parent.rglob("*") if it.is_file() and not it.is_symlink()]
        described = path.parents[2] / "spec.json"  # of the cell, for people
        files |= {it.as_posix(): it for it in measured}
        files |= {described.as_posix(): described} if described.is_file() else {}
    return files


def _taken(files: dict[str, Path]) -> Iterator[TakenPart]:
    for name, path in files.items():
        if name.endswith("receipt.json"):
            yield from read_model(path, AnyReceipt).parts


def _views(results: Path) -> Iterator[Path]:
    """Yield the files of a sweep; its folder may hold others, of an earlier config."""
    asked = read_model(results / "policy/receipts.json", AskedReceipts).paths
    rounds = {PurePosixPath(path).parent.as_posix() for path in asked}
    cells = rounds | {"/".join(path.split("/")[:2]) for path in asked}
    models = slugs(parse(read_json(results / "policy/matrix.json")).models).values()
    for path in sorted(results.rglob("*")):
        room, *inside = path.relative_to(results).parts
        theirs = (
            "/".join(inside[:-1]) in cells
            if room == "cells"
            else inside[:1] == [] or inside[0] in models
            if room in _OF_MODELS
            else True
        )
        if theirs and path.is_file() and not path.is_symlink() and path.name[0] != ".":
            yield path


def _input(files: dict[str, Path], kind: str, named: str) -> str:
    """Add a file that the config names, and return its path in the archive."""
    path = located(named)
    name = f"inputs/{kind}/{path.name}"
    if not path.is_file():
        raise ArtifactError(f"{path}: there is no such file, and the sweep was made with it")
    files[name] = path
    return name


def _refuse_changed(manifest: BundleManifest, files: dict[str, Path]) -> None:
    """Refuse measurements that are not what was sealed.

    Raises:
        ArtifactError: Names one.
    """
    found = {file.path: file.sha256 for file in manifest.files}
    for taken in _taken(files):
        if found[taken.path] != taken.sha256:
            raise ArtifactError(
                f"{taken.path}: a sealed file was changed, so the sweep can't be bundled; see "
                "`orket status`"
            )
