"""Makes the views of an unpacked sweep again, from its sealed measurements, and compares them.

The steps are those of the rules, run in this process with the same commands. None measures: what
is missing is refused before a model is looked for.
"""

from __future__ import annotations

import argparse
import contextlib
import io
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from orket_lib.analysis.differences import json_differences, text_differences
from orket_lib.artifacts.bundle import BundleManifest
from orket_lib.artifacts.io import read_json, read_model, write_model
from orket_lib.artifacts.measurements.request import AskedTasks
from orket_lib.artifacts.measurements.spec import WITH_WALLS
from orket_lib.artifacts.measurements.thermal_series import ThermalSeries
from orket_lib.artifacts.views.preflight import Preflight, PreflightCheck
from orket_lib.artifacts.views.receipt import AnyReceipt
from orket_lib.commands._common import stamp
from orket_lib.commands.evidence.steps import NOTHING_MEASURED, Step, Steps
from orket_lib.stores.attempts import read_taken
from orket_lib.vocabulary.errors import ArtifactError

_MOST_LINES = 5
# The files are a stranger's, so no error of a step is a bug of ours that ends the check.
_ANY = (Exception, SystemExit)


@dataclass
class Recomputed:
    """What making a sweep's views again has shown.

    Attributes:
        files: Views that were made again.
        problems: A line for each difference, and for each step that failed.
    """

    files: list[str]
    problems: list[str]


def recompute(manifest: BundleManifest) -> Recomputed:
    """Make every view of the sweep again in the current folder, which has the unpacked files.

    Raises:
        ArtifactError: The config or a list of what is measured can't be read, or the bank or KPI
            policy is not in the bundle.
    """
    files = {file.path for file in manifest.files}
    if lacking := sorted({manifest.bank, manifest.kpi_policy} - files):
        raise ArtifactError(f"{lacking[0]}: the manifest names it, and the bundle lacks it")
    steps = Steps(manifest.sweep, manifest.kpi_policy, files)
    _prepare(manifest, steps.results)
    found = Recomputed([], list(_lacking(steps.files)))
    found.problems += (f"{path}: no step of this sweep makes it" for path in steps.strangers())
    for model in steps.models:
        found.problems += _other_series(Path(steps.results, "thermal", model))
    for step in steps.all():
        wanted = [path for path in step.outputs if path in steps.files]
        if wanted:
            found.files += wanted
            found.problems += _made_again(step, wanted)
    return found


def _prepare(manifest: BundleManifest, results: str) -> None:
    """Name the bundle's own bank, allow only sandboxes that isolate, and forbid to measure."""
    path = Path(results, "policy/tasks.json")
    asked = read_model(path, AskedTasks)
    kinds = tuple(kind for kind in asked.sandbox if kind in WITH_WALLS) or WITH_WALLS
    write_model(path, asked.model_copy(update={"bank": manifest.bank, "sandbox": kinds}))
    refusal = PreflightCheck(name="bundle", ok=False, detail="it lacks a measurement of this step")
    write_model(Path(NOTHING_MEASURED), Preflight(**stamp(), passed=False, checks=(refusal,)))


def _lacking(files: Collection[str]) -> Iterator[str]:
    """Yield the measurements that receipts name and the bundle lacks."""
    for path in sorted(files):
        if path.endswith("receipt.json") and Path(path).is_file():
            try:
                parts = read_model(Path(path), AnyReceipt).parts
            except ArtifactError as error:
                yield str(error)
            else:
                lacking = [part.path for part in parts if part.path not in files]
                yield from (f"{path}: names {part}, which the bundle lacks" for part in lacking)


def _made_again(step: Step, wanted: Sequence[str]) -> Iterator[str]:
    """Run a step, and yield how its files differ; after a failure they are as they were."""
    before = {path: Path(path).read_bytes() for path in wanted if Path(path).is_file()}
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            _run(*step.arguments)
    except _ANY as error:
        for path, content in before.items():
            Path(path).write_bytes(content)
        yield f"{', '.join(wanted)}: can't be made again: {error}"
        return
    for path, content in before.items():
        try:
            lines = list(_differences(content, Path(path)))
        except _ANY as error:
            yield f"{path}: can't be compared: {error}"
            continue
        yield from _listed(path, lines)
        if not lines:  # what is made from it names its time and its commit
            Path(path).write_bytes(content)


def _run(name: str, *arguments: str) -> None:
    command = import_module(f"orket_lib.commands.{name}")
    parser = argparse.ArgumentParser(prog=name)
    command.add_arguments(parser)
    command.run(parser.parse_args(arguments))


def _differences(before: bytes, path: Path) -> Iterator[str]:
    if path.suffix == ".json":
        was = Path("inputs", "as_it_was.json")
        was.write_bytes(before)
        yield from json_differences(read_json(was), read_json(path))
    else:
        yield from text_differences(before.decode(errors="replace"), path.read_text("utf-8"))


def _listed(path: str, lines: Sequence[str]) -> Iterator[str]:
    yield from (f"{path}: {line}" for line in lines[:_MOST_LINES])
    if lines[_MOST_LINES:]:
        yield f"{path}: and {len(lines) - _MOST_LINES} more"


def _other_series(folder: Path) -> Iterator[str]:
    """Replace a thermal series by the sealed one of its receipt, and yield how they differ."""
    receipt, series = folder / "receipt.json", folder / "series.json"
    try:
        for part in read_model(receipt, AnyReceipt).parts if receipt.is_file() else ():
            sealed, before = read_taken(part, ThermalSeries), series.read_bytes()
            write_model(series, sealed)
            yield from _listed(series.as_posix(), list(_differences(before, series)))
    except _ANY as error:
        yield f"{series.as_posix()}: can't be compared: {error}"
