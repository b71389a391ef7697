"""Read the summaries for `orket context-ceiling`, and pick one model and quant from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from orket_lib.analysis.context.figures import ContextFigures, of_context_row, of_sweep_row
from orket_lib.artifacts.base import Labelled
from orket_lib.artifacts.io import parse_model, read_json
from orket_lib.artifacts.views.context_summary import ContextSummary
from orket_lib.artifacts.views.summary import Summary
from orket_lib.vocabulary.errors import ArtifactError

Pair = tuple[str, str]
_PLACEHOLDER = "{context}"


@dataclass(frozen=True)
class Given:
    """A summary of a context sweep, or of an ordinary sweep at that context.

    Attributes:
        context: Context length that the user gave for it.
        path: Its file.
        labels: Its lane, profile and machine.
        sweep: Name of its sweep, if known.
        figures: Figures of each (model, quant).
        left_out: Model, quant, and why this context was not tried; None if it was.
    """

    context: int
    path: Path
    labels: Labelled
    sweep: str | None
    figures: Mapping[Pair, ContextFigures]
    left_out: tuple[str, str, str] | None = None


def read_summaries(contexts: Sequence[int], template: str) -> list[Given]:
    """Return the summaries that a template names, smallest context first.

    Raises:
        ArtifactError: A context is given twice, the template has no placeholder, or a file is
            missing, damaged, or of another context.
    """
    twice = next((context for context in contexts if contexts.count(context) > 1), None)
    if twice is not None:
        raise ArtifactError(f"--contexts: {twice} is given twice")
    if _PLACEHOLDER not in template:
        raise ArtifactError(f"--summary-template: needs the placeholder {_PLACEHOLDER}: {template}")
    return [
        _read(context, Path(template.replace(_PLACEHOLDER, str(context))))
        for context in sorted(contexts)
    ]


def one_pair(given: Sequence[Given], model_id: str | None, quant_tag: str | None) -> Pair:
    """Return the (model, quant) that was asked for.

    Raises:
        ArtifactError: None or several match, or a summary has no row of it.
    """
    tried = [one for one in given if one.left_out is None]
    known = dict.fromkeys(pair for one in tried for pair in one.figures)
    known |= {one.left_out[:2]: None for one in given if one.left_out} if not tried else {}
    fitting = [
        pair for pair in known if model_id in (None, pair[0]) and quant_tag in (None, pair[1])
    ]
    listed = ", ".join(" ".join(pair) for pair in known) or "nothing"
    if not fitting:
        asked = " ".join(filter(None, (model_id, quant_tag))) or "anything"
        raise ArtifactError(f"no summary has a row of {asked}; they have rows of {listed}")
    if len(fitting) > 1:
        raise ArtifactError(
            f"the summaries have rows of {listed}: name one with --model-id and --quant-tag"
        )
    (pair,) = fitting
    for one in given:
        if pair not in one.figures and pair != (one.left_out or ())[:2]:
            raise ArtifactError(f"{one.path}: has no row of {' '.join(pair)}")
    return pair


def common(given: Sequence[Given], field: str, option: str | None = None) -> str | None:
    """Return a label that all summaries share.

    Raises:
        ArtifactError: They differ, and `option` does not override them.
    """
    if option is not None:
        return option
    values: dict[str | None, Path] = {getattr(one.labels, field): one.path for one in given}
    if len(values) > 1:
        listed = ", ".join(f"{value} in {path}" for value, path in values.items())
        raise ArtifactError(f"the summaries differ in their {field}: {listed}")
    return next(iter(values))


def _read(context: int, path: Path) -> Given:
    content = read_json(path)
    version = content.get("schema_version") if isinstance(content, dict) else None
    if isinstance(version, str) and version.startswith("orket.summary."):
        return _of_sweep(context, path, parse_model(content, Summary, path))
    return _of_context_sweep(context, path, parse_model(content, ContextSummary, path))


def _of_sweep(context: int, path: Path, summary: Summary) -> Given:
    measured_at = summary.matrix.get("n_ctx")
    if measured_at != context:
        raise ArtifactError(f"{path}: was measured at n_ctx {measured_at}, not {context}")
    rows = [row for session in summary.sessions for row in session.per_quant]
    figures = {
        (row.model_id, row.quant_tag): of_sweep_row(context, row, path.as_posix()) for row in rows
    }
    return Given(context, path, summary, summary.matrix.get("sweep"), figures)


def _of_context_sweep(context: int, path: Path, summary: ContextSummary) -> Given:
    if summary.context != context:
        raise ArtifactError(f"{path}: is of context {summary.context}, not {context}")
    figures = {
        (row.metrics.model_id, row.metrics.quant_tag): of_context_row(context, row, path.as_posix())
        for row in summary.rows
    }
    left_out = None
    if summary.status == "not_tried":
        left_out = (summary.model_id, summary.quant_tag, summary.status_reason or "")
    return Given(context, path, summary, summary.sweep, figures, left_out)
