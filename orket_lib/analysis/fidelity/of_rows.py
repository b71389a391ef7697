"""From a model's rows to the fidelity of each quant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from orket_lib.analysis.fidelity.agreement import (
    NOTHING_TO_COMPARE,
    fidelity,
    shares_of_answers,
    shares_of_second_runs,
)
from orket_lib.artifacts.views.fidelity import Fidelity
from orket_lib.artifacts.views.kld import Kld
from orket_lib.artifacts.views.row import RowMetrics, TaskScore
from orket_lib.vocabulary.nulls import Null
from orket_lib.vocabulary.statuses import RunStatus


def fidelity_of_rows(
    rows: Sequence[RowMetrics],
    scores: Mapping[str, Sequence[TaskScore]],
    baseline: RowMetrics,
    include_invalid: bool,
    kld: Kld | None = None,
) -> tuple[Fidelity, ...]:
    """Return one record per row, in their order; the baseline's is the noise floor.

    Args:
        rows: Rows of a model.
        scores: The task scores of each quant.
        baseline: One of the rows.
        include_invalid: Also compare answers that may have been disturbed.
        kld: The divergences, if they were measured.
    """
    reference, found = scores[baseline.quant_tag], []
    divergences = {it.quant_tag: it for it in kld.compared} if kld else {}
    for row in rows:
        why = NOTHING_TO_COMPARE
        shares = shares_of_answers(scores[row.quant_tag], reference)
        if row is baseline:
            repeated = row.reading("determinism_rate")
            why = repeated if isinstance(repeated, Null) else why
            shares = shares_of_second_runs(reference)
        elif row.status is not RunStatus.MEASURED:
            shares, why = (), Null(f"STATUS_{row.status.upper()}")
        elif not row.may_be_judged(include_invalid):
            shares, why = (), Null("ANSWERS_DISTURBED")
        one = fidelity(row.quant_tag, baseline.quant_tag, shares, why)
        found.append(one.model_copy(update={"kld": divergences.get(row.quant_tag)}))
    return tuple(found)
