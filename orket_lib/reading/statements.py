"""Finds what an answer states as its result: in a box, after a phrase, in a fence, or as a whole.

Only the place is found here; each grader reads its own kind of value there. Several statements
that differ are the grader's to refuse, and so is one that is taken back.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from orket_lib.reading.fences import Place, scan

_MOST = 10  # statements of a kind that are read, the last ones
_TAIL = 20_000  # characters at the end of an answer in which its result is looked for
_TAGGED = re.compile(r"(?is)<(answer|final_answer|result)>(.{0,4000}?)</\1>")
_GSM = re.compile(r"(?m)^[ \t]*####[ \t]*(?!#)(\S[^\n]*)\Z")
_BOX = re.compile(r"\\(?:boxed|fbox)\s*\{")
_IS = (
    r"[*_`\s\"')]{0,6}"
    r"(?:\b(?:is|are|was|were|would be|will be|should be|reads?|ist|es|est)\b"
    r"(?:[*_ \t]{0,4}[:\uff1a])?|[:=\uff1a])"
)
_FINAL = re.compile(
    r"(?i)\bfinal[ \t]+(?:answer|result|output|value|text|string|list|number)\b"
    rf"(?:{_IS}|[*_# \t]*\n)"
)
_NOUN = (
    r"(?:answer|result|solution|output|antwort|ergebnis|respuesta|resultado|r\u00e9ponse|"
    r"r\u00e9sultat|risposta|resposta|(?:correct|right|best)[ \t]+(?:option|choice|letter|label))"
)
_PHRASE = re.compile(
    rf"(?i)\b{_NOUN}\b(?:[ \t]+(?:to|of|for)\b[^\n.:=?!]{{0,80}}?)?(?:{_IS}|[*_#]*\n)"
    r"|\u7b54\u6848(?:\u662f|[:\uff1a])"
)
_LEAD = re.compile(
    r"(?i)(?:\A|(?<=\n)|(?<=[.!] ))[*_ \t]*(?:sure|certainly|of course|okay|ok|great|absolutely|"
    r"here(?:'s|\u2019s| is| are| you)|below is|this is|"
    r"the (?:\w+[ \t]){0,4}\w+ (?:is|are|reads))\b[^\n:\uff1a]{0,160}[:\uff1a]"
)
_DENIED = re.compile(
    r"(?i)\b(?:not|never|no longer|neither|doubt|unsure|wonder|if|unless)\b|n['\u2019]t\b"
)
_TAKEN_BACK = re.compile(
    r"(?i)\b(?:wait|actually|correction|scratch that|i mean(?:t)?|on second thought|oops|"
    r"alternatively|instead it|no,|or (?:maybe|perhaps|rather|possibly|else|it )|"
    r"(?:could|might|may) also be|but it (?:could|might|may)|i was wrong|my mistake|mistaken)"
)
_SENTENCE_END = re.compile(r"[.!?](?=[*_\"')\]]{0,4}(?:\s|\Z))")
_TEX_TEXT = re.compile(r"\\(?:text|textbf|texttt|mathrm|mathbf)\s*\{([^{}]*)\}")
_COURTESY = re.compile(
    r"(?i)\b(?:let me know|feel free|anything else|happy to help|if you have|do you have|"
    r"hope (?:this|that|it) (?:helps|is))\b"
)
_CONTEXT = 120  # characters before a phrase in which a negation denies it


class Unparseable(Exception):
    """The answer is not in the form that its grader needs; the message says what was found."""


@dataclass(frozen=True)
class Statement:
    """A place where an answer states its result.

    Attributes:
        text: From there to the end of the answer, or the content of a box or fence.
        is_whole: Whether `text` is the result and nothing else.
        is_denied: Whether it is negated, or taken back later.
    """

    text: str
    is_whole: bool = False
    is_denied: bool = False

    @property
    def line(self) -> str:
        """The rest of its line; the next line with text if there is nothing left on it."""
        if self.is_whole:
            return self.text
        return self.text.lstrip().partition("\n")[0].strip()

    @property
    def paragraph(self) -> str:
        """Up to the next empty line."""
        return self.text if self.is_whole else self.text.strip().partition("\n\n")[0].strip()

    @property
    def sentence(self) -> str:
        """The rest of its sentence."""
        if self.is_whole:
            return self.text
        ended = _SENTENCE_END.search(self.line)
        return self.line[: ended.start()] if ended and ended.start() else self.line

    @property
    def parts(self) -> tuple[str, ...]:
        """The sentence, the line, the paragraph and all the rest, without repetitions."""
        return tuple(dict.fromkeys((self.sentence, self.line, self.paragraph, self.text.strip())))


def statements(text: str) -> tuple[tuple[Statement, ...], tuple[Statement, ...]]:
    """Return the final statements of a normalized answer, and the other ones.

    Final ones are boxes, `<answer>` tags, a last line that begins with `####`, and phrases such as
    `Final answer:`; others are phrases such as `The answer is`, and what introduces a result.
    """
    tail = text[-_TAIL:]
    finals = _last(_FINAL, tail)
    ends = {found.end() for found in finals}
    phrases = [found for found in _last(_PHRASE, tail) if found.end() not in ends]
    said = (
        *(Statement(found[2].strip(), True) for found in _last(_TAGGED, tail)),
        *(Statement(found[1], True) for found in _last(_GSM, tail)),
        *(_stated(tail, found) for found in finals),
    )
    # `The final answer is: $\boxed{5}$` is one statement.
    unboxed = (one for one in said if one.is_denied or not _BOX.search(one.line))
    final = (*(Statement(box, True) for box in boxes(tail)), *unboxed)
    return final, tuple(_stated(tail, found) for found in phrases or _last(_LEAD, tail))


def without_courtesy(text: str) -> str:
    """Return an answer without a last line such as `Let me know if you have 3 more questions!`."""
    before, newline, last = text.rpartition("\n")
    return before if newline and _COURTESY.search(last) else text


def _last(pattern: re.Pattern[str], text: str) -> list[re.Match[str]]:
    return list(pattern.finditer(text))[-_MOST:]


def _stated(text: str, found: re.Match[str]) -> Statement:
    before = text[max(0, found.start() - _CONTEXT) : found.start()]
    begun = max(before.rfind(mark) for mark in (". ", "! ", "? ", "\n"))
    rest = text[found.end() :]
    # Emphasis that was opened before the phrase ends behind it: `**Answer:** 42`.
    rest = re.sub(r"\A[*_]{1,3}(?=\s)", "", rest)
    block = next(iter(fenced(rest)), "") if rest.lstrip().startswith(("```", "~~~")) else ""
    denied = bool(_DENIED.search(before[begun + 1 :])) or _is_taken_back(block, rest)
    return Statement(block or rest, bool(block), denied)


def _is_taken_back(block: str, rest: str) -> bool:
    """Return whether what follows a statement withdraws it."""
    after = rest.partition(block)[2] if block else rest
    return bool(_TAKEN_BACK.search(after))


def boxes(text: str) -> Iterator[str]:
    """Yield the contents of LaTeX boxes."""
    for found in _last(_BOX, text):
        depth = 1
        for at in range(found.end(), min(len(text), found.end() + 2000)):
            depth += {"{": 1, "}": -1}.get(text[at], 0) * (text[at - 1] != "\\")
            if not depth:
                inner = text[found.end() : at].strip()
                worded = _TEX_TEXT.fullmatch(inner)
                yield worded[1].strip() if worded else inner
                break


def fenced(text: str) -> list[str]:
    """Return the contents of the fenced blocks of a text.

    A word on the opening line is the content of an empty block.
    """
    blocks: list[list[str]] = []
    infos: list[str] = []
    for line in scan(text):
        if line.place is Place.OPENING:
            blocks.append([])
            infos.append(line.info)
        elif line.place is Place.INSIDE:
            blocks[-1].append(line.text)
    bodies = map("\n".join, blocks)
    return [body if body.strip() else info for body, info in zip(bodies, infos, strict=True)]
