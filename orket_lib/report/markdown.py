"""The report as Markdown, short enough for an issue or a model card; the page has the rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

from orket_lib.analysis.wants.answer import answers
from orket_lib.artifacts.views.context_ceiling import ContextCeiling
from orket_lib.artifacts.views.summary import Summary
from orket_lib.report.formatting import escaped
from orket_lib.report.sections import thinking
from orket_lib.report.sections.conditions import conditions
from orket_lib.report.sections.quants import QUANT_COLUMNS, quant_cells
from orket_lib.report.sections.variants import variant_section
from orket_lib.report.serving import serving_lines
from orket_lib.report.views import frontier_view
from orket_lib.vocabulary.statuses import Lane

_TEMPLATE = "sweep_report.md.j2"


@dataclass(frozen=True)
class Plot:
    """A picture of the report.

    Attributes:
        title: Alternative text.
        path: Path relative to the report, with `/`.
    """

    title: str
    path: str


def render_markdown(
    summary: Summary,
    plots: Sequence[Plot],
    include_invalid: bool | None = None,
    further: Sequence[str] = (),
    contexts: Sequence[ContextCeiling] = (),
) -> str:
    """Return the report.

    Args:
        summary: Summary of the sweep.
        plots: Its plots.
        include_invalid: Whether rows that are not valid may have a role in the tables, in this
            view only; None means as in the summary.
        further: Context and thermal results, a sentence each.
        contexts: Context sweeps at the picks, for the lines that serve them.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("orket_lib.report"),
        undefined=StrictUndefined,
        # Everything that the template prints is escaped here, so no value can break a table.
        finalize=lambda value: escaped(str(value)),
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    lane = summary.execution_lane
    views = [frontier_view(session, lane, include_invalid) for session in summary.sessions]
    return environment.get_template(_TEMPLATE).render(
        summary=summary,
        sweep=summary.matrix.get("sweep", "unnamed sweep"),
        ci=lane is Lane.CI,
        recomputed=any(view.recomputed for view in views),
        include_invalid=include_invalid,
        columns=QUANT_COLUMNS,
        models=[
            (session.model_id, [quant_cells(row, session, view) for row in session.per_quant])
            for session, view in zip(summary.sessions, views, strict=True)
        ],
        variants=[
            (it.model_id, part)
            for it in summary.sessions
            if (part := variant_section(it, summary.settings_of(it.model_id)))
        ],
        thinking_columns=thinking.COLUMNS,
        thinking=[(it.model_id, thinking.thinking_rows(it)) for it in summary.sessions],
        wanted={it.model_id: it.sentences for it in answers(summary, contexts)},
        further=further,
        serving=[
            serving_lines(it, summary.settings_of(it.model_id), contexts) for it in summary.sessions
        ],
        plots=[{"title": plot.title, "path": quote(plot.path)} for plot in plots],
        conditions=conditions(summary),
    )
