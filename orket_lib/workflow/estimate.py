"""How long the jobs that load a model will take, before they begin.

Each has a number of steps, and each quant a pace (see `workflow.paces`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import ceil, log2
from pathlib import Path

from orket_lib.analysis.active_time import Pace
from orket_lib.artifacts.io import read_model
from orket_lib.artifacts.measurements.spec import PROBE_OUTPUT_TOKENS
from orket_lib.artifacts.progress import Due
from orket_lib.artifacts.views.kld import FidelityReceipt
from orket_lib.measure.cell_state import missing_steps
from orket_lib.report.progress import OTHER_JOB_S
from orket_lib.stores.parts import Wanted
from orket_lib.sweep.batches import why_dropped
from orket_lib.sweep.cells import Cell, Sweep
from orket_lib.sweep.context import find_contexts
from orket_lib.sweep.fidelity import find_next_tokens
from orket_lib.telemetry.counters import cpu_temperature_c
from orket_lib.vocabulary.errors import ArtifactError
from orket_lib.workflow.paces import Paces, has_gpus, paces_of, stored_pace
from orket_lib.workflow.targets import Targets

_SIDECAR_PROBES = 3


@dataclass(frozen=True)
class Estimates:
    """The estimates of a sweep.

    Attributes:
        jobs: The jobs that load a model, by their receipt.
        views_s: Seconds of all other jobs.
        basis: What the estimates are from, in words.
    """

    jobs: dict[str, Due]
    views_s: float
    basis: str

    @property
    def seconds(self) -> float | None:
        """All of it, 0 if no cell and no fidelity is due; None if something can't be estimated."""
        jobs = list(self.jobs.values())
        if all(job.seconds == 0 for job in jobs if job.kind in ("cell", "fidelity")):
            return 0.0
        return _sum([*(job.seconds for job in jobs), self.views_s])


def estimates(
    sweep: Sweep,
    targets: Targets,
    again: str = "",
    pace_here: Callable[[Cell], Pace | None] | None = None,
) -> Estimates:
    """Return how long a sweep's jobs will take.

    Args:
        sweep: The sweep.
        targets: Its files.
        again: What is measured again: `all`, `probes` or `runs` of every cell; by default what
            the config says.
        pace_here: Returns the pace of a cell that was measured here; by default from the store.
    """
    paces, basis = paces_of(sweep, pace_here or stored_pace)
    jobs = dict(_jobs(sweep, targets, paces, again or sweep.config.again or ""))
    views = set(targets.all_files()) - set(targets.rendered()) - set(jobs)
    return Estimates(jobs, len(views) * OTHER_JOB_S, basis)


def _jobs(sweep: Sweep, targets: Targets, paces: Paces, again: str) -> Iterator[tuple[str, Due]]:
    canaries = [("canary", f"{sweep.results}/canary/receipt.json")] if sweep.canaries else []
    canaries += [("closing canary", receipt) for receipt in targets.closing_receipt()]
    for title, receipt in canaries:
        seconds = [
            _seconds(paces[it.model_id, it.quant_tag], runs, runs)
            for it in sweep.canaries
            if (runs := it.runs * len(it.tasks.ids))
        ]
        yield receipt, Due(kind="canary", title=title, seconds=_sum(seconds))
    for cell in sweep.cells:
        pair = (cell.model_id, cell.quant_tag)
        receipts = targets.part_files(cell.model_slug, cell.quant_tag, "receipt.json")
        title = " ".join(pair)
        for receipt, wanted in zip(receipts, cell.wanted, strict=True):
            left = _due_steps(cell, wanted, Path(receipt), again)
            left_s = _seconds(paces[pair], len(left.answers), len(left.probes))
            yield receipt, Due(kind="cell", title=title, seconds=left_s)
        for receipt in targets.sidecars.receipt(cell.model_slug, cell.quant_tag):
            sidecar_s = _seconds(paces[pair], 0, _SIDECAR_PROBES)
            yield receipt, Due(kind="sidecar", title=f"sidecar {title}", seconds=sidecar_s)
    for receipt in targets.fidelity.files("receipt.json"):
        yield receipt, _fidelity(sweep, Path(receipt), paces)
    yield from _at_the_chosen_quant(sweep, targets, paces)


def _due_steps(cell: Cell, wanted: Wanted, receipt: Path, again: str) -> Wanted:
    """Return the steps of a round or batch that will be measured."""
    if again == "all":
        return wanted
    left = Wanted(frozenset(), frozenset())
    if not why_dropped(receipt):
        left = missing_steps(cell.store, wanted)
    return Wanted(
        wanted.probes if again == "probes" else left.probes,
        wanted.answers if again == "runs" else left.answers,
    )


def _at_the_chosen_quant(sweep: Sweep, targets: Targets, paces: Paces) -> Iterator[tuple[str, Due]]:
    """Yield context sweeps and thermal series, which run with a quant that isn't known yet."""
    models: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for cell in sweep.cells:
        models[cell.model_slug].append((cell.model_id, cell.quant_tag))
    contexts, thermal = (
        targets.contexts.files("receipt.json"),
        targets.thermal.files("receipt.json"),
    )
    for model, ids in models.items():
        known = [pace for pair in ids if (pace := paces[pair])]
        pace = sorted(known, key=lambda it: it.run_s)[len(known) // 2] if known else None
        several = targets.contexts.receipts_before(model)
        for path in several:
            pair = (ids[0][0], Path(path).parent.name)
            title, seconds = f"contexts of {' '.join(pair)}", _contexts_s(sweep, paces[pair])
            yield path, Due(kind="context", title=title, seconds=seconds)
        for path in contexts:
            if f"/{model}/" in path:
                title = f"contexts of {ids[0][0]}"
                left_s = 0.0 if several else _contexts_s(sweep, pace)
                yield path, Due(kind="context", title=title, seconds=left_s)
        for path in thermal:
            if f"/{model}/" in path:
                title = f"thermal series of {ids[0][0]}"
                yield path, Due(kind="thermal", title=title, seconds=_thermal_s(sweep, pace))


def _seconds(pace: Pace | None, runs: int, probes: int) -> float | None:
    """Return how long one session with so many steps takes."""
    if not runs and not probes:
        return 0.0
    return None if pace is None else pace.seconds(runs) + probes * pace.probe_s


def _fidelity(sweep: Sweep, receipt: Path, paces: Paces) -> Due:
    """Return the measurement of a model's probabilities: the baseline is measured twice.

    The store may lack it as long as the baseline's answers are unknown, so only a finished one of
    the same text counts as done.
    """
    cells = [cell for cell in sweep.cells if cell.model_slug == receipt.parent.name]
    settings = find_next_tokens(sweep.config)
    assert settings is not None
    places, seconds = settings.sample.positions, []
    for cell in (cells[0], *cells):
        pace = paces[cell.model_id, cell.quant_tag]
        token_s = pace.probe_s / PROBE_OUTPUT_TOKENS if pace else 0.0
        seconds.append(pace.session_s + places * token_s if pace else None)
    done = _text_of(receipt) == settings.text_sha256
    title = f"probabilities of {cells[0].model_id}"
    return Due(kind="fidelity", title=title, seconds=0.0 if done else _sum(seconds))


def _text_of(receipt: Path) -> str | None:
    """Return the digest of the text that was measured; None if nothing was."""
    try:
        return read_model(receipt, FidelityReceipt).text_sha256 if receipt.is_file() else None
    except ArtifactError:
        return None


def _contexts_s(sweep: Sweep, pace: Pace | None) -> float | None:
    settings = find_contexts(sweep.config)
    if settings is None or pace is None:
        return None
    tried = sorted(settings.contexts)
    if settings.search == "bisect":
        tried = tried[-(1 + ceil(log2(len(tried)))) :]
    fill = settings.fill
    tasks = len(fill.families) * len(fill.depths) * fill.tasks_per_depth
    return sum(
        pace.session_s
        + tasks * (pace.run_s + fill.prompt_tokens(context) * pace.prompt_token_s)
        + settings.probe_runs * (pace.probe_s + context * pace.prompt_token_s)
        for context in tried
    )


def _thermal_s(sweep: Sweep, pace: Pace | None) -> float | None:
    if pace is None:
        return None
    config = sweep.config
    has_sensor = has_gpus(sweep.machine) or cpu_temperature_c() is not None
    rest_s = config.thermal_cooldown_timeout_sec if has_sensor else 0.0
    return pace.session_s + config.thermal_repeats * (
        rest_s + config.thermal_generations * pace.probe_s
    )


def _sum(seconds: Sequence[float | None]) -> float | None:
    known = [it for it in seconds if it is not None]
    return sum(known) if len(known) == len(seconds) else None
