"""The result of a sweep, printed at the end of the workflow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from io import StringIO
from typing import TYPE_CHECKING

from orket_lib.analysis.frontier import memory_mib
from orket_lib.analysis.wants.answer import answers
from orket_lib.artifacts.views.context_ceiling import ContextCeiling
from orket_lib.artifacts.views.summary import Comparison, ModelSession, Summary, SummaryRow
from orket_lib.report.formatting import bits, escaped, figure, flips, p_value, shown
from orket_lib.report.sections.batches import adherence_cell, asked_note
from orket_lib.report.sections.variants import variant_section
from orket_lib.report.sections.verdicts import choices, failures_word, verdict_word
from orket_lib.report.serving import measured_on, serving_lines
from orket_lib.report.views import FrontierView, frontier_view, role_text
from orket_lib.vocabulary.statuses import Lane, RunStatus
from orket_lib.vocabulary.text import visible

if TYPE_CHECKING:
    from rich.table import Table

_WIDTH = 100
COLUMNS = (
    *("quant", "bits", "adherence", "vs baseline", "decode\nt/s", "TTFT\nms", "latency\ns"),
    *("memory\nMiB", "verdict"),
)
_WIDE = ("bits", "latency\ns")  # left out on a narrow terminal
# One rule below the header, of characters that every console has.
_BOX = "    \n    \n -- \n    \n    \n    \n    \n    \n"


def terminal_summary(
    summary: Summary,
    report_path: str,
    width: int | None = None,
    colour: bool = False,
    further: Sequence[str] = (),
    contexts: Sequence[ContextCeiling] = (),
) -> str:
    """Return the result of a sweep as text for a terminal.

    Args:
        summary: What the sweep found.
        report_path: Path of the full report.
        width: Columns of the terminal; None means 100.
        colour: Write ANSI colours. Without colours, characters outside cp1252 are replaced by `?`,
            because a console may not be able to print them.
        further: Results measured at the recommended quants, one line each.
        contexts: Context sweeps at the picks, for the lines that serve them.
    """
    from rich.console import Console
    from rich.text import Text

    console = Console(
        file=StringIO(),
        width=width or _WIDTH,
        color_system="standard" if colour else None,
        force_terminal=colour,
        legacy_windows=False,
        highlight=False,
        markup=False,
        emoji=False,
        _environ={},  # the text depends on its arguments only
    )
    wanted = {it.model_id: it.sentences for it in answers(summary, contexts)}
    with console.capture() as capture:
        for session in summary.sessions:
            console.print(_table(session, summary.execution_lane, console.width < _WIDTH))
            if note := asked_note(session):
                console.print(Text(note))
            for line in _problems(session):
                console.print(Text(visible(line), style="red"), soft_wrap=width is None)
            console.print(Text(visible(session.recommendation), style="bold"))
            if shown_choices := choices(session):
                console.print(Text(shown_choices))
            for line in wanted.get(session.model_id, ()):
                console.print(Text(visible(line)))
            variants = variant_section(session, summary.settings_of(session.model_id))
            for line in variants.sentences if variants else ():
                console.print(Text(visible(line)))
            if session.decision and session.decision.next:
                console.print(Text(visible(f"next: {session.decision.next}")))
            lines = serving_lines(session, summary.settings_of(session.model_id), contexts)
            for prefix, line in zip(("to serve it: ", "  "), lines, strict=False):
                console.print(Text(visible(f"{prefix}{line}")), soft_wrap=True)
            console.print()
        if summary.ranking:
            console.print(Text("all models", style="bold"))
            for line in summary.ranking.conclusions:
                console.print(Text(visible(line)))
            console.print()
        if not summary.sessions:
            console.print("Nothing was measured: the summary has no rows.")
        for line in further:
            console.print(Text(visible(line)), soft_wrap=width is None)
        if summary.execution_lane is Lane.CI:
            console.print(Text("ci lane: speeds are not evidence", style="yellow"))
        console.print(visible(f"report: {report_path}"), soft_wrap=True)
    text = capture.get()
    if colour:
        return text
    plain = "".join(f"{line.rstrip()}\n" for line in text.splitlines())
    return plain.encode("cp1252", "replace").decode("cp1252")


def _table(session: ModelSession, lane: Lane, narrow: bool) -> Table:
    from rich.box import Box
    from rich.table import Table
    from rich.text import Text

    device = measured_on(session)
    title = f"{session.model_id} on {device}" if device else session.model_id
    table = Table(
        title=Text(visible(title), style="bold"),
        title_justify="left",
        box=Box(_BOX, ascii=True),
        show_edge=False,
        pad_edge=False,
        padding=(0, 1, 0, 0),
    )
    kept = [place for place, name in enumerate(COLUMNS) if not (narrow and name in _WIDE)]
    for name in (COLUMNS[place] for place in kept):
        text = name in ("quant", "verdict")
        table.add_column(name, justify="left" if text else "right", no_wrap=name != "verdict")
    view = frontier_view(session, lane)
    for row, cells in zip(session.per_quant, quant_cells(session, lane), strict=True):
        chosen = session.decision.pick if session.decision else None
        green = row.quant_tag == chosen if session.decision else any(view.roles[row.quant_tag])
        style = ("green" if green else "") if row.valid else "red"
        table.add_row(*(Text(visible(cells[place])) for place in kept), style=style)
    return table


def quant_cells(session: ModelSession, lane: Lane) -> list[tuple[str, ...]]:
    """Return the cells of each quant, in the order of `COLUMNS`."""
    view = frontier_view(session, lane)
    compared = {item.quant_tag: item for item in session.comparisons}
    return [_cells(row, view, session, compared) for row in session.per_quant]


def markdown_table(summary: Summary) -> str:
    """Return the table of each model as Markdown, with its recommendation, to paste it."""
    lines = []
    for session in summary.sessions:
        names = [name.replace("\n", " ") for name in COLUMNS]
        align = ["--" if name in ("quant", "verdict") else "--:" for name in names]
        rows = [map(escaped, cells) for cells in quant_cells(session, summary.execution_lane)]
        lines += [escaped(session.recommendation), ""]
        lines += [f"| {' | '.join(cells)} |" for cells in (names, align, *rows)] + [""]
    return "\n".join(lines)


def _problems(session: ModelSession) -> list[str]:
    """Return why rows are not valid, one line each, with the first piece of evidence."""
    lines = []
    for row in session.per_quant:
        if row.status is not RunStatus.MEASURED:
            lines.append(f"{row.quant_tag}: {row.status_reason}")
        elif not row.valid:
            seen = row.run_quality_reasons[:1]
            evidence = [f"{item.reason.value}: {item.evidence}" for item in seen]
            lines.append(f"{row.quant_tag}: {'; '.join([*row.invalid_because, *evidence])}")
    return lines


def _cells(
    row: SummaryRow,
    view: FrontierView,
    session: ModelSession,
    compared: Mapping[str, Comparison],
) -> tuple[str, ...]:
    comparison = compared.get(row.quant_tag)
    against = f"{flips(comparison)} {p_value(comparison.p_value)}" if comparison else "-"
    return (
        row.quant_tag,
        shown(row.reading("quant_rank"), bits, "-"),
        adherence_cell(row, session, "-"),
        against.replace(" = ", "="),
        shown(row.reading("generation_tokens_per_second"), figure, "-"),
        shown(row.reading("ttft_ms"), figure, "-"),
        shown(row.reading("total_latency"), figure, "-"),
        shown(memory_mib(row), figure, "-"),
        _verdict(row, view, session),
    )


def _verdict(row: SummaryRow, view: FrontierView, session: ModelSession) -> str:
    """Return the last cell: the verdict; for old summaries without one, the frontier role."""
    if row.status is not RunStatus.MEASURED:
        return row.status.value.replace("_", " ")
    decision = session.decision
    if decision is None:
        words = role_text(view, row.quant_tag).replace("minimum", "min")  # the line is full
    else:
        picked = "pick" if row.quant_tag == decision.pick else ""
        base = "baseline" if row.quant_tag == decision.baseline_quant else ""
        words = ", ".join(filter(None, [base, verdict_word(session, row.quant_tag), picked]))
    valid = "" if row.valid else "not valid" if not row.quality_valid else "no speeds"
    return ", ".join(filter(None, [valid, words, failures_word(row)]))
