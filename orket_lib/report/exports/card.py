"""The pick of a model as a small picture: one SVG file that loads nothing."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from textwrap import wrap

from markupsafe import Markup

from orket_lib.artifacts.views.context_ceiling import ContextCeiling
from orket_lib.artifacts.views.summary import ModelSession, Summary
from orket_lib.report.formatting import cpu_name
from orket_lib.report.page.card import Fact, card_of
from orket_lib.vocabulary.statuses import Lane
from orket_lib.vocabulary.text import visible

_WIDTH, _EDGE, _GAP = 640, 24, 16
_BOX, _BOX_HEIGHT = (_WIDTH - 2 * _EDGE - _GAP) // 2, 82
_TOP, _FOOT = 92, 58
_FACTS = 6  # the last ones of a page's card are in its sentence, too
_LETTER = 0.57  # average width of a letter, as a share of the font's size
_STYLE = (
    "svg{color-scheme:light dark;font-family:system-ui,sans-serif}"
    ".paper{fill:#fff;stroke:#dce0e6}.box{fill:#f5f7f9}.pick{fill:#00704f}"
    "text{fill:#1d2129}.dim{fill:#59616d}"
    "@media(prefers-color-scheme:dark){.paper{fill:#15171a;stroke:#3a4047}.box{fill:#1e2226}"
    ".pick{fill:#34cf95}text{fill:#e4e6ea}.dim{fill:#a5acb7}}"
)


def card_svg(
    session: ModelSession, summary: Summary, context: ContextCeiling | None, measured_at: str
) -> str:
    """Return the card of a model: what to run, how sure that is, and what it needs.

    Args:
        session: The model.
        summary: The sweep that it is from.
        context: Its context sweep, if there is one.
        measured_at: Day of the measurement.
    """
    card = card_of(session, summary, context)
    facts = card.facts[:_FACTS]
    lane = "; lane ci: speeds are no evidence" if summary.execution_lane is Lane.CI else ""
    foot = f"Measured on {cpu_name(summary.hardware_fingerprint)}, {measured_at}{lane}"
    file = f"File SHA-256 {card.sha256}" if card.sha256 else "Orket Quant Sweep"
    height = _TOP + (len(facts) + 1) // 2 * (_BOX_HEIGHT + _GAP) + _FOOT
    parts = [
        _text(session.model_id, _EDGE + 8, 38, 16, "dim", _WIDTH - 2 * _EDGE),
        _text(card.headline, _EDGE + 8, 70, 28, "", _WIDTH - 2 * _EDGE, bold=True),
        *(part for place, fact in enumerate(facts) for part in _box(fact, place)),
        _text(foot, _EDGE, height - 40, 12, "dim", _WIDTH - 2 * _EDGE),
        _text(file, _EDGE, height - 20, 12, "dim", _WIDTH - 2 * _EDGE),
    ]
    words = "; ".join(f"{fact.name}: {fact.value} ({fact.note})" for fact in facts)
    form = Markup(
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {} {}" width="{}" height="{}" '
        'role="img" aria-labelledby="title desc"><title id="title">{}</title>'
        '<desc id="desc">{}</desc><style>{}</style>'
        '<rect class="paper" x=".5" y=".5" width="{}" height="{}" rx="10"/>'
        '<rect class="pick" x="{}" y="22" width="5" height="54" rx="2"/>{}</svg>\n'
    )
    return form.format(
        *(_WIDTH, height, _WIDTH, height),
        visible(f"{session.model_id}: {card.headline}", ""),
        visible(f"{card.sentence} {words}. {foot}. {file}.", ""),
        Markup(_STYLE),
        *(_WIDTH - 1, height - 1, _EDGE - 8),
        Markup("").join(parts),
    )


def _box(fact: Fact, place: int) -> Iterator[Markup]:
    x = _EDGE + place % 2 * (_BOX + _GAP)
    y = _TOP + place // 2 * (_BOX_HEIGHT + _GAP)
    form = Markup('<rect class="box" x="{}" y="{}" width="{}" height="{}" rx="6"/>')
    yield form.format(x, y, _BOX, _BOX_HEIGHT)
    inner = _BOX - 2 * 12
    yield _text(fact.name, x + 12, y + 19, 12, "dim", inner)
    yield _text(fact.value, x + 12, y + 42, 18, "", inner, bold=True)
    for line, words in enumerate(_lines(fact.note, inner)):
        yield _text(words, x + 12, y + 59 + 14 * line, 11, "dim", inner)


def _lines(note: str, width: int) -> Sequence[str]:
    most = int(width / (11 * _LETTER))
    return wrap(visible(note, ""), most, max_lines=2, placeholder=" …")


def _text(
    text: str, x: float, y: float, size: int, kind: str, width: int, *, bold: bool = False
) -> Markup:
    form = Markup('<text class="{}" x="{}" y="{}" font-size="{}"{}>{}</text>')
    weight = Markup(' font-weight="700"') if bold else ""
    return form.format(kind, x, y, size, weight, _fitting(visible(text, ""), width / size))


def _fitting(text: str, ems: float) -> str:
    """Return as much of a text as is sure to fit, with `…` where it is cut."""
    room, shown = ems - 1, ""
    for letter in text:
        room -= 1.1 if unicodedata.east_asian_width(letter) in "WF" else _LETTER
        if room < 0:
            return f"{shown}…"
        shown += letter
    return text
