"""Separates an answer from reasoning and from tokens of the chat template that leaked into it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from orket_lib.reading.fences import Place, scan

_MOST_BLOCKS = 20  # of reasoning in one answer
_INVISIBLE = "\ufeff\u200b\u2060"
_NAMES = (
    *("think", "thinking", "thought", "thoughts", "reasoning", "reason", "reflection"),
    *("seed:think", "antthinking", "scratchpad", "inner_monologue"),
)
_PAIRS = (
    *((f"<{name}>", f"</{name}>") for name in _NAMES),
    ("[THINK]", "[/THINK]"),
    ("\u25c1think\u25b7", "\u25c1/think\u25b7"),
    ("<|think|>", "<|/think|>"),
    ("<|begin_of_thought|>", "<|end_of_thought|>"),
    ("<|START_THINKING|>", "<|END_THINKING|>"),
    ("<unused94>thought", "<unused95>"),
)
_ENDS = tuple(close for _, close in _PAIRS)
# Wrappers of the answer itself, after the reasoning.
_WRAPPERS = (
    ("<response>", "</response>"),
    ("<|START_RESPONSE|>", "<|END_RESPONSE|>"),
    ("<|begin_of_solution|>", "<|end_of_solution|>"),
)
_HARMONY = re.compile(r"\s*<\|(?:start|channel|message)\|>")
_HARMONY_FINAL = re.compile(
    r"<\|channel\|>\s*final[^<\n]{0,40}(?:<\|constrain\|>[^<\n]{0,40})?<\|message\|>"
)
_TOKEN = re.compile(
    r"<\|(?:im_end|im_start|eot_id|eom_id|end|endoftext|end_of_text|end_of_turn|return|call|"
    r"start_header_id|begin_of_text|eot|user|assistant|system|END_OF_TURN_TOKEN)\|>"
    r"|<\uff5c[^\uff5c\n]{1,40}\uff5c>|</?(?:start|end)_of_turn>|<(?:start|end)_of_turn>"
)
_LAST_TOKEN = re.compile(rf"(?:{_TOKEN.pattern}|</s>|<eos>|\[/?INST\]|\[EOS\])\s*\Z")


def strip_reasoning(text: str) -> str:
    """Return the text after the reasoning, without leaked tokens.

    If a block never ends (because of the token limit), nothing is left.
    """
    return _unwrapped(split_token(_after_reasoning(text))[0])


def opens_reasoning(text: str) -> bool:
    """Return whether a text begins with reasoning; an empty block is none."""
    visible = _channel(text)
    if visible != text:
        return True
    rest = _without_block(text)
    if rest is None:
        return False
    block = text.removesuffix(rest)
    for tag in (tag for pair in _PAIRS for tag in pair):
        block = block.replace(tag, "")
    return bool(block.strip())


def reasoning_of(text: str) -> str:
    """Return the reasoning that a text begins with, its tags included; `""` without one."""
    return text.removesuffix(_after_reasoning(text)) if opens_reasoning(text) else ""


def leaked_token(text: str) -> str | None:
    """Return the first token of the chat template in an answer; None if there is none.

    A server that knows its template stops at such a token, and never returns it.
    """
    return split_token(_after_reasoning(text))[1]


def _after_reasoning(text: str) -> str:
    text = _channel(text.lstrip(_INVISIBLE) if text[:1] in _INVISIBLE else text)
    for _ in range(_MOST_BLOCKS):
        rest = _without_block(text)
        if rest is None:
            break
        text = rest
    return text


def _channel(text: str) -> str:
    """Return the final channel of a text in OpenAI's harmony format; other text is unchanged."""
    finals = list(_HARMONY_FINAL.finditer(text))
    if finals:
        return text[finals[-1].end() :]
    analysis = _HARMONY.match(text) and "<|channel|>" in text
    return "" if analysis else text


def _without_block(text: str) -> str | None:
    """Return the text after one more block of reasoning; None if there is no further one."""
    plain = text.lstrip()
    folded = plain[:24].casefold()
    for opened, close in _PAIRS:
        if folded.startswith(opened.casefold()):
            return _after(plain, close)
    for close in _ENDS:  # the chat template has opened the block
        if plain.startswith(close):
            return plain[len(close) :]
    if not any(close in text for close in _ENDS):
        return None
    for start, line in _outside(text):
        said = line.strip()
        for opened, close in _PAIRS:
            if said == close or (
                said.endswith(close)
                and said[: -len(close)][-1] not in "`\"'"
                and opened not in text[: start + len(line)]
            ):
                return text[start + len(line) :]
    return None


def _after(text: str, close: str) -> str:
    """Return what follows the end of an open block; a tag in a code fence doesn't count first."""
    for start, line in _outside(text):
        at = line.find(close)
        if at >= 0:
            return text[start + at + len(close) :]
    return text.partition(close)[2]


def _outside(text: str) -> Iterator[tuple[int, str]]:
    return ((line.start, line.text) for line in scan(text) if line.place is Place.OUTSIDE)


def split_token(text: str) -> tuple[str, str | None]:
    """Return the text before the first leaked token, and the token.

    Code may contain such a token in a string, so between fences only the last word counts.
    """
    if "<" not in text and "[" not in text:
        return text, None
    for line in scan(text):
        found = None if line.place is Place.INSIDE else _TOKEN.search(line.text)
        if found:
            return text[: line.start + found.start()], found[0]
    last = _LAST_TOKEN.search(text, max(0, len(text) - 200))
    return (text[: last.start()], last[0].strip()) if last else (text, None)


def _unwrapped(text: str) -> str:
    plain = text.strip()
    for opened, close in _WRAPPERS:
        if plain.startswith(opened):
            return plain.removeprefix(opened).removesuffix(close)
    return text
