"""`orket measure-fidelity`: measure the probabilities of all quants of a model."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from orket_lib.analysis.frontier import by_bits
from orket_lib.analysis.verdict.baseline import baseline_among
from orket_lib.analysis.verdict.of_rows import quant_scores
from orket_lib.artifacts.digest import sha256_of
from orket_lib.artifacts.io import read_model, sha256_of_file, write_model
from orket_lib.artifacts.measurements.next_tokens import (
    NextTokenSettings,
    NextTokenSpec,
)
from orket_lib.artifacts.measurements.request import AskedTasks, ServableCell, ServableCells
from orket_lib.artifacts.views.kld import AskedQuant, FidelityReceipt
from orket_lib.artifacts.views.receipt import TakenPart
from orket_lib.artifacts.views.row import Row, RowMetrics
from orket_lib.commands._common import add_out, provenance, stamp, tell
from orket_lib.commands.measure._budget import Budget, add_budget, budget_of
from orket_lib.commands.measure._measurement_options import (
    JobProgress,
    add_measuring,
    opened_gates,
    sources,
    tasks_of,
)
from orket_lib.measure.fidelity.blocks import AnsweredQuestion
from orket_lib.measure.fidelity.measurement import TokenMeasurement
from orket_lib.processes.snakemake_watchdog import die_with_snakemake
from orket_lib.stores.attempts import AttemptStore
from orket_lib.tasks.bank import Task
from orket_lib.vocabulary.errors import ArtifactError
from orket_lib.vocabulary.nulls import Null
from orket_lib.vocabulary.slugs import slug
from orket_lib.vocabulary.statuses import RunStatus

_NO_BASELINE = "no quant has answers that may be judged"


EXAMPLES = (
    "orket measure-fidelity --rows policy/row.json --cells policy/receipts.json "
    "--settings policy/fidelity.json --tasks policy/tasks.json --model nano --out receipt.json",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    add = parser.add_argument
    add("--rows", type=Path, required=True, help="folder of the rows <quant>.json of the model")
    add("--cells", type=Path, required=True, help="policy/cells.json of the sweep")
    add("--settings", type=Path, required=True, help="policy/next_tokens.json of the sweep")
    add("--tasks", type=Path, required=True, help="policy/tasks.json of the sweep")
    add("--model", required=True, help="folder name of the model")
    add_measuring(parser)
    add_budget(parser)
    add_out(parser, "receipt")


@dataclass
class _Asked:
    """The inputs of the command, and what is measured so far."""

    options: argparse.Namespace
    settings: NextTokenSettings
    answers: Sequence[AnsweredQuestion]
    text: str
    budget: Budget | None
    parts: list[TakenPart]
    interrupted: list[str]

    def measure(self, cell: ServableCell, row: RowMetrics, repeat: int = 0) -> AskedQuant:
        """Return what became of a quant, after measuring it if the store has nothing.

        Args:
            cell: Its cell.
            row: Its row.
            repeat: 1 for the second measurement of the baseline.
        """
        options, settings = self.options, self.settings
        digest = sha256_of([[it.test_id, it.question, it.answer] for it in self.answers])
        spec = NextTokenSpec.of(cell, settings, digest, repeat)
        folder = Path("next_tokens", slug(spec.model_id), spec.quant_tag, spec.digest())
        name = f"probabilities of {cell.model_id} {cell.quant_tag}"
        measurement = TokenMeasurement(
            spec,
            sources(options, cell),
            self.answers,
            self.text,
            AttemptStore(options.storage_root / folder, "next_tokens"),
            JobProgress(name),
            opened_gates(options),
            options.again is not None,
            options.storage_root,
        )
        if self.budget and not measurement.stored:
            takes_s = _seconds(settings, row)
            if beyond := self.budget.why_not(takes_s):
                return self._became(cell, RunStatus.NOT_RUN, beyond)
            self.budget = self.budget.after(takes_s)
        made_from = provenance([options.cells, options.settings])
        measured = measurement.run(made_from)
        if measured.part:
            self.parts.append(measured.part)
        else:
            self.interrupted.append(f"{name}: {measured.status.value}: {measured.reason}")
        return self._became(cell, measured.status, measured.reason)

    def _became(self, cell: ServableCell, status: RunStatus, reason: str | None) -> AskedQuant:
        if reason:
            tell(f"probabilities of {cell.model_id} {cell.quant_tag}: {status.value}: {reason}")
        return AskedQuant(quant_tag=cell.quant_tag, status=status, status_reason=reason)


def run(options: argparse.Namespace) -> int:
    """Measure the baseline, the baseline again, and all other quants; write the receipt."""
    die_with_snakemake()
    settings = read_model(options.settings, NextTokenSettings)
    listed = read_model(options.cells, ServableCells).quants_of(options.model)
    cells = {cell.quant_tag: cell for cell in listed}
    rows = {tag: read_model(options.rows / f"{tag}.json", Row) for tag in cells}
    ordered = by_bits(row.metrics for row in rows.values())
    scores = {tag: row.task_scores for tag, row in rows.items()}
    found = baseline_among(quant_scores(ordered, scores, settings.include_invalid))
    baseline = found.used.quant if found.used else None
    asked = _Asked(
        options,
        settings,
        answers=() if baseline is None else _answers(options, rows[baseline], settings),
        text=_text(settings),
        budget=budget_of(options),
        parts=[],
        interrupted=[],
    )
    quants = tuple(_measured(asked, cells, ordered, baseline)) if baseline else ()
    waits = found.waits_for.reason if found.waits_for else _NO_BASELINE
    receipt = FidelityReceipt(
        **stamp([options.cells, options.settings]),
        parts=tuple(asked.parts),
        attempt=options.attempt,
        interrupted=tuple(asked.interrupted),
        model_id=ordered[0].model_id,
        baseline_quant=baseline,
        reason=None if baseline else waits,
        text=settings.text,
        text_sha256=settings.text_sha256,
        quants=quants,
    )
    write_model(options.out, receipt)
    return 0


def _measured(
    asked: _Asked, cells: dict[str, ServableCell], ordered: Sequence[RowMetrics], baseline: str
) -> Iterator[AskedQuant]:
    """Yield what became of each quant; the baseline is measured first, and twice."""
    rows = {row.quant_tag: row for row in ordered}
    first = asked.measure(cells[baseline], rows[baseline])
    if first.status is RunStatus.MEASURED:
        asked.measure(cells[baseline], rows[baseline], repeat=1)
    for row in ordered:
        if row.quant_tag == baseline:
            yield first
        elif row.status is not RunStatus.MEASURED:
            yield AskedQuant(
                quant_tag=row.quant_tag, status=row.status, status_reason=row.status_reason
            )
        else:
            yield asked.measure(cells[row.quant_tag], row)


def _text(settings: NextTokenSettings) -> str:
    """Return the text.

    Raises:
        ArtifactError: It changed since the measurement was planned.
    """
    path = Path(settings.text)
    if not path.is_file() or sha256_of_file(path) != settings.text_sha256:
        raise ArtifactError(f"{path}: changed since this measurement was planned; run again")
    return path.read_text(encoding="utf-8")


def _answers(
    options: argparse.Namespace, baseline: Row, settings: NextTokenSettings
) -> tuple[AnsweredQuestion, ...]:
    """Return answers of the baseline, of tasks that are as good as drawn at random."""
    asked = read_model(options.tasks, AskedTasks)
    tasks: dict[str, Task] = {it.test_id: it for it in tasks_of(Path(asked.bank), asked.tasks)}
    known = [
        AnsweredQuestion(score.test_id, tasks[score.test_id].prompt, score.answer)
        for score in baseline.task_scores
        if score.answer and score.test_id in tasks
    ]
    # In the order of their digests, the choice changes little when tasks are added.
    known.sort(key=lambda it: sha256_of([it.test_id, it.question]))
    return tuple(known[: settings.sample.answers])


def _seconds(settings: NextTokenSettings, row: RowMetrics) -> float:
    """Return about how long a quant takes: a load, and the time of one token at each place."""
    rate, load_s = (row.reading(name) for name in ("generation_tokens_per_second", "init_latency"))
    loading = 0.0 if isinstance(load_s, Null) else load_s
    return loading if isinstance(rate, Null) else loading + settings.sample.positions / rate
