"""Counts and times that can't be ones: placeholders of servers that don't count.

Some servers fill `usage` with 0 or 1, and times with 0. A prompt that was sent and text that
arrived have tokens, so such a number is missing, not small (T9). Other counts of a prompt stand,
however small: the server may have cut the prompt (T2).
"""

from __future__ import annotations

from dataclasses import replace

from orket_lib.providers.base import TokenReport

# No tokenizer comes near this over a whole text.
_MOST_BYTES_PER_TOKEN = 64
_MOST_CHUNKS_PER_TOKEN = 8  # a server may send a token letter by letter


def without_placeholders(report: TokenReport, prompt: str, answer: str, chunks: int) -> TokenReport:
    """Return a report in which counts and times that are none are None.

    Args:
        report: As the server sent it.
        prompt: The text that was sent; empty if unknown.
        answer: All text that arrived, reasoning included.
        chunks: In how many pieces it arrived.
    """
    if report.prompt in (0, 1) and not _can_count(report.prompt, max(1, _bytes(prompt))):
        report = replace(report, prompt=None, cached=None, uncached=None)
    if report.output is not None:
        possible = _can_count(report.output, _bytes(answer))
        if not possible or chunks > report.output * _MOST_CHUNKS_PER_TOKEN:
            report = replace(report, output=None)
    if report.prefill_s == 0 and report.uncached != 0:
        report = replace(report, prefill_s=None)
    if report.decode_s == 0 and report.output not in (0, 1):
        report = replace(report, decode_s=None)
    return report


def _can_count(tokens: int, size: int) -> bool:
    """Tell whether so many tokens can make a text of so many bytes."""
    return size <= tokens * _MOST_BYTES_PER_TOKEN


def _bytes(text: str) -> int:
    return len(text.encode("utf-8", errors="replace"))
