"""Reads the number that an answer states.

Every digit counts: a number whose meaning is unclear (`5k`, `x7`, `10:30`, `more than 5`) makes the
answer ambiguous, and is never skipped.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from decimal import Decimal
from math import gcd

from orket_lib.reading.number_words import spelled_number
from orket_lib.reading.statements import Statement, statements, without_courtesy

_DASHES = re.compile("[\u2212\ufe63\uff0d\u2011\u2012]|\u2013(?=\\d)")
# Marks between two digits are no emphasis: `6*7` is not 67.
# A run of marks is tried at its ends only: from each of its places, it would take squared time.
_EMPHASIS = re.compile(
    r"(?<![\d*`])[*`]+|(?<=\d)[*`]++(?!\d)|(?<!\w)_+(?=\S)|(?<=[^\s_])_++(?!\w)|(?<=_)_(?!\w)"
)
_STRUCK = re.compile(r"~~[^~\n]{1,200}~~")
_TEX_WORDS = re.compile(r"\\(?:text|mathrm|mathbf|textbf|mbox|operatorname)\s*\{([^{}]{0,100})\}")
_FRACTION = re.compile(r"\\[dt]?frac\s*\{(\d{1,30})\}\s*\{(\d{1,30})\}")
_TEX = (
    *(("{,}", ","), ("\\,", "\u202f"), ("\\;", " "), ("\\!", ""), ("\\ ", " "), ("\\$", "$")),
    *(("\\%", "%"), ("\\(", " "), ("\\)", " "), ("\\[", " "), ("\\]", " "), ("$$", " ")),
    *(("\\times", "\u00d7"), ("\\cdot", "\u00d7"), ("^{\\circ}", "\u00b0"), ("^\\circ", "\u00b0")),
    *(("\\left", ""), ("\\right", ""), ("\\approx", "\u2248"), ("\\pm", "\u00b1")),
)
_RAISED = str.maketrans("\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079\u207b\u207a",
                        "0123456789-+")  # fmt: skip
_POWER_OF_TEN = re.compile(
    r"(?<=\d)\s{0,2}[\u00d7x]\s{0,2}10(?:\^\s?\{?([-+]?\d{1,3})\}?|([\u207b\u207a]?[\u2070-\u2079\u00b9\u00b2\u00b3]{1,3}))"
)
_RUN = re.compile("\\d(?:[\\d.,:/'\u2019_\u00a0\u202f\u2009]*\\d)?")
_EXPONENT = re.compile(r"[eE][-+]?\d{1,3}(?!\w)")
_LETTERS = re.compile(r"[^\W\d_]+(?:/[^\W\d_]+)?[\u00b2\u00b3]?")
_CURRENCY = "$\u20ac\u00a3\u00a5\u20b9"
_NEGATIVE_SUM = re.compile(rf"[^\w(]*\(\s?[{_CURRENCY}]\s?(\d[\d.,]*\d|\d)\s?\)[^\w)]*")
_SUM = re.compile(rf"\(\s?[{_CURRENCY}]\s?\Z")
_UNITS = frozenset(
    re.findall(
        r"\S+",
        "kg g mg t km m cm mm nm \u00b5m l L ml mL cl hl h hr hrs min mins s sec secs ms \u00b5s d "
        "C F lb lbs oz ft in yd mi mph kph km/h m/s kW kWh W Wh V mV A mA Hz kHz MHz GHz B KB kB "
        "MB GB TB KiB MiB GiB px pt pts EUR USD GBP CHF JPY ct ha Pa kPa bar mol cal kcal J kJ N",
    )
)
_SCALES = {
    "hundred": 2,
    "thousand": 3,
    "million": 6,
    "billion": 9,
    "trillion": 12,
    "lakh": 5,
    "crore": 7,
}
_SCALE = re.compile(rf"\s{{1,3}}({'|'.join(_SCALES)})s?\b", re.IGNORECASE)
_BOUND_AFTER = re.compile(
    r"\s?\+(?!\s?\d)|\s+or (?:more|less|fewer|so|higher|lower)\b", re.IGNORECASE
)
_UNCLEAR_BEFORE = re.compile(
    r"(?i)(?:\b(?:than|at least|at most|up to|over|under|above|below|beyond|not|never|neither|nor|"
    r"without|except|between|from)|n['\u2019]t|[<>\u2264\u2265\u2260\u00b1^])"
    rf"(?:\s+(?:be|equal|to|exactly|just|the|number))*\s*[-{_CURRENCY}]?\s*\Z"
)
_DOUBTED = re.compile(
    r"(?i)(?:(?:n['\u2019]t|not) (?:think|believe)|not (?:sure|certain)|\bdoubt|\bunsure)\b"
    r"[^.!?\n]*\Z"
)
_MINUS_WORD = re.compile(r"(?i)(?:\A|[^\w\s)%]|\b[a-z]+)\s*\b(?:minus|negative)\s+\Z")
_EQUALS_WORD = re.compile(r"(?i)(?:[=:(\[{|\u2248>]|\b(?:is|are|was|be|equals|to|of|and))\s*\Z")
_NEGATED = re.compile(rf"-\s?[{_CURRENCY}]?\(\s?\Z")
_CONTEXT = 40  # characters before a number that decide what it means
_MOST_DIGITS = 5000
_MOST_CHARS = 20_000  # of an answer that is read without a statement of its result
_MARKER = re.compile(
    r"(?i)=|\u2192|\u21d2|:(?=\s)|\b(?:is|are|was|were|equals?|makes?|gives?|gets?|has|have|"
    r"totals?|totall?ing|comes? to|adds? up to|leaves?|left with|so|thus|therefore|hence|"
    r"altogether|in total|in all|needs?|takes?|costs?|ends? with|results? in|yields?|returns?|"
    r"prints?)\b"
)
_SENTENCES = re.compile(r"(?<=[.!?])\s+|\n+")
_BOLD = re.compile(r"(?:\*\*|__)([^*_\n]{1,80})(?:\*\*|__)")
_OR = re.compile(r"(?i)\b(?:or|either)\b|\?")
_DENIAL = re.compile(r"(?i)\b(?:not|never|neither|unless|doubt|cannot)\b|n['\u2019]t\b")


def stated_number(text: str) -> Decimal | None:
    """Return the number that a normalized answer states; None if it states none or several.

    The same number twice is one number. A list of candidates states none.
    """
    text = without_courtesy(text)
    final, other = statements(text)
    if final:
        return _common(final)
    value = _common(other) if other else None
    if value is not None or any(one.is_denied for one in other) or len(text) > _MOST_CHARS:
        return value
    for read in (one_number, _marked, _concluded):
        value = read(text)
        if value is not None:
            return value
    return None


def one_number(text: str) -> Decimal | None:
    """Return the only number in a text; None if there are others, or one is unclear."""
    plain = _plain(text)
    if sum := _NEGATIVE_SUM.fullmatch(plain):
        value = _value(sum[1])
        return None if value is None else value.copy_negate()
    found: Decimal | None = None
    any_number = False
    for value in _numbers(plain):
        if value is None or (any_number and value != found):
            return _ratio(plain)
        found, any_number = value, True
    return found if any_number else spelled_number(plain)


def _common(stated: Sequence[Statement]) -> Decimal | None:
    """Return the number that all statements agree on."""
    found = {None if one.is_denied else _in_statement(one) for one in stated}
    return found.pop() if len(found) == 1 else None


def _in_statement(stated: Statement) -> Decimal | None:
    """Return the number of a statement: the only one, or that of its last equation."""
    sentence = stated.sentence
    value = one_number(sentence)
    if value is None and "=" in sentence:
        return one_number(sentence.rpartition("=")[2])
    return value


def _marked(text: str) -> Decimal | None:
    """Return the only number in bold, or on a last line of its own."""
    bold = {one_number(found[1]) for found in _BOLD.finditer(text) if _is_bare(found[1])}
    if len(bold) == 1 and not any(map(_is_choice, _SENTENCES.split(text))):
        return bold.pop()
    lines = [line for line in text.split("\n") if line.strip()]
    bare = [line for line in lines if _is_bare(line)]
    return one_number(lines[-1]) if bare and bare == lines[-1:] and len(lines) > 1 else None


def _is_bare(text: str) -> bool:
    """Return whether a text is a number and at most one word, its unit."""
    plain = _plain(text)
    return len(plain.split()) <= 2 and one_number(plain) is not None and bool(_RUN.search(plain))


def _is_choice(sentence: str) -> bool:
    return bool(_OR.search(sentence)) and len(_RUN.findall(sentence)) > 1


def _concluded(text: str) -> Decimal | None:
    """Return the number at the end of the last sentence with numbers: `23 + 8 is 31.`."""
    said = [one for one in _SENTENCES.split(text[-4000:]) if _RUN.search(one)]
    if not said or _is_choice(said[-1]) or _DENIAL.search(said[-1]):
        return None
    numbers = list(_RUN.finditer(said[-1]))
    markers = [one for one in _MARKER.finditer(said[-1]) if one.end() <= numbers[-1].start()]
    return one_number(said[-1][markers[-1].end() :]) if markers else None


def _plain(text: str) -> str:
    """Return a text without emphasis and LaTeX, and with plain signs."""
    text = _STRUCK.sub(" ", text)
    if "\\" in text or "{,}" in text:
        text = _FRACTION.sub(r" \1/\2 ", _TEX_WORDS.sub(r" \1 ", text))
        for mark, plain in _TEX:
            text = text.replace(mark, plain)
        text = text.replace("{", "").replace("}", "")
    text = _DASHES.sub("-", _EMPHASIS.sub(" " if text.count("*") > 8 else "", text))
    return _POWER_OF_TEN.sub(lambda one: f"e{one[1] or one[2].translate(_RAISED)}", text)


def _numbers(plain: str) -> Iterator[Decimal | None]:
    """Yield the numbers of a text; None for one that is unclear."""
    end = 0
    while found := _RUN.search(plain, end):
        value, end = _number(plain, found)
        yield value


def _number(plain: str, found: re.Match[str]) -> tuple[Decimal | None, int]:
    """Return the value of a number, None if it is unclear, and where it ends."""
    start, end = found.span()
    before = plain[max(0, start - _CONTEXT) : start]
    digits = found[0]
    if before.endswith(".") and not re.search(r"[\w)]\.\Z|\.\.\Z", before):
        before, digits = before[:-1], f"0.{digits}"
    value = _value(digits)
    sign = _sign(before, start > _CONTEXT)
    unclear = _UNCLEAR_BEFORE.search(before) or _DOUBTED.search(before)
    if value is None or sign is None or unclear:
        return None, end
    if _SUM.search(before) and plain[end : end + 2].lstrip().startswith(")"):
        return None, end  # `($18)` in a sentence: a repetition, or a loss
    if exponent := _EXPONENT.match(plain, end):
        value, end = _scaled(value, int(exponent[0][1:])), exponent.end()
    elif letters := _LETTERS.match(plain, end):
        if letters[0].rstrip("\u00b2\u00b3") not in _UNITS:
            return None, end
        end = letters.end()
    if plain[end : end + 1] in ("^", "\u00b2", "\u00b3", "_") and end == found.end():
        return None, end
    if scale := _SCALE.match(plain, end):
        value, end = _scaled(value, _SCALES[scale[1].casefold()]), scale.end()
    if plain[end : end + 1].isdigit() or _BOUND_AFTER.match(plain, end):
        return None, end
    return (value if sign > 0 else value.copy_negate()), end


def _scaled(value: Decimal, power: int) -> Decimal:
    """Return a value times a power of ten, exactly."""
    scaled = Decimal(f"{value}e{power}")
    return Decimal(int(scaled)) if scaled == scaled.to_integral_value() else scaled


def _sign(before: str, is_cut: bool) -> int | None:
    """Return the sign that the text before a number gives it; None if it is unclear."""
    left = before.rstrip(f" \u00a0{_CURRENCY}")
    spaced = left != before.rstrip(_CURRENCY) and not before.rstrip(" ").endswith(tuple(_CURRENCY))
    if _MINUS_WORD.search(before):
        return -1
    if _NEGATED.search(before):
        return None
    if left.endswith("--"):
        return 1
    if not left.endswith("-"):
        touching = before[-1:]
        return None if touching.isalpha() or (touching in ("_", ".", "^") and touching) else 1
    ahead = left[:-1]
    said = ahead.rstrip()
    if said[-1:].isdigit() or said[-1:] in (")", "]", "%"):
        return 1  # a difference
    if not spaced:
        return None if ahead[-1:].isalpha() else -1
    if not said:
        return None if is_cut or "\n" in ahead else -1
    if "\n" in ahead[len(said) :]:
        return None  # a minus or a list item
    return -1 if _EQUALS_WORD.search(said) else None


_PLAIN = re.compile(r"\d+(?:\.\d+)?")
_THOUSANDS = re.compile(r"[1-9]\d{0,2}(?:,\d{3})+(?:\.\d+)?")
_COMMA = re.compile(r"(?:0,\d+|\d+,(?:\d{1,2}|\d{4,}))")
_DOTS = re.compile(r"[1-9]\d{0,2}(?:(?:\.\d{3})+,\d+|(?:\.\d{3}){2,})")
_SPACED = re.compile("[1-9]\\d{0,2}([\u00a0\u202f\u2009'\u2019_])\\d{3}(?:\\1\\d{3})*(?:[.,]\\d+)?")
_INDIAN = re.compile(r"[1-9]\d?(?:,\d{2})+,\d{3}(?:\.\d+)?")


def _value(run: str) -> Decimal | None:
    """Return the value of digits with separators; None if they are no one number.

    A comma before three digits separates thousands, as in English; before any other number of
    digits it is a decimal comma.
    """
    if len(run) > _MOST_DIGITS:
        return None
    if _PLAIN.fullmatch(run):
        return Decimal(run)
    if _THOUSANDS.fullmatch(run) or _INDIAN.fullmatch(run):
        return Decimal(run.replace(",", ""))
    if _COMMA.fullmatch(run):
        return Decimal(run.replace(",", "."))
    if _DOTS.fullmatch(run):
        return Decimal(run.replace(".", "").replace(",", "."))
    if _SPACED.fullmatch(run):
        return Decimal(re.sub("[\u00a0\u202f\u2009'\u2019_]", "", run).replace(",", "."))
    return None


def _ratio(plain: str) -> Decimal | None:
    """Return the value of a text that is a reduced fraction, such as `3/4`."""
    found = re.fullmatch(r"[^\w/-]*(-?)(\d{1,15})\s?/\s?(\d{1,15})[^\w/-]*", plain)
    if not found or int(found[3]) < 2 or gcd(int(found[2]), int(found[3])) > 1:
        return None
    value = Decimal(found[2]) / Decimal(found[3])
    return -value if found[1] else value
