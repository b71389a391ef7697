from __future__ import annotations

import json
import sys
import time
import unicodedata

import pytest

from orket_lib.vocabulary.text import listed, printable, visible, visible_json, well_formed


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("", ""),
        ("plain text, 100 %", "plain text, 100 %"),
        ("ü € 漢字 𝄞 😀", "ü € 漢字 𝄞 😀"),
        ("e\u0301", "e\u0301"),
        ("a\nb\r\nc\td", r"a\nb\r\nc\td"),
        ("\x1b[31mred\x1b[0m", r"\x1b[31mred\x1b[0m"),
        ("\x1b]0;title\x07", r"\x1b]0;title\x07"),
        ("\x9b2J", r"\x9b2J"),
        ("a\0b", r"a\x00b"),
        ("abc\b\b\bxyz\x7f", r"abc\x08\x08\x08xyz\x7f"),
        ("evil\u202egpj.exe", r"evil\u202egpj.exe"),
        ("\u2066a\u2069\u200b\ufeff", r"\u2066a\u2069\u200b\ufeff"),
        ("a\u2028b\u2029c\x85d", r"a\u2028b\u2029c\x85d"),
        ("\ud800", r"\ud800"),
        ("\U000e0041", r"\U000e0041"),
        (r"C:\new", r"C:\new"),
    ],
    ids=repr,
)
def test_what_is_visible_stays_and_the_rest_is_shown(text: str, shown: str) -> None:
    assert printable(text, 100) == shown


def test_no_character_has_power() -> None:
    for first in range(0, sys.maxunicode + 1, 4096):
        text = "".join(map(chr, range(first, first + 4096)))
        shown = printable(text, 100_000)
        assert shown.isprintable()
        assert not {"LRE", "RLE", "PDF", "LRO", "RLO"} & set(map(unicodedata.bidirectional, shown))
        assert shown.encode()  # can be written everywhere


@pytest.mark.parametrize(
    ("text", "limit", "shown"),
    [
        ("abcdef", 6, "abcdef"),
        ("abcdefg", 6, "abc..."),
        ("abcdefg", 3, "..."),
        ("ab\x1bcd", 8, r"ab\x1bcd"),
        ("ab\x1bcde", 8, "ab..."),
        ("\u202e" * 5, 12, r"\u202e..."),
    ],
)
def test_long_text_is_cut_and_no_escape_in_half(text: str, limit: int, shown: str) -> None:
    assert printable(text, limit) == shown
    assert len(shown) <= limit


def test_marks_do_not_pile_up() -> None:
    shown = printable("a" + "\u0301" * 50, 1000)
    assert shown.count("\u0301") == 3
    assert shown.count(r"\u0301") == 47


def test_the_length_of_the_text_costs_nothing() -> None:
    text = "\x1b" * 50_000_000
    begin = time.process_time()
    assert len(printable(text, 80)) <= 80
    assert time.process_time() - begin < 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("grün \U0001f600", "grün \U0001f600"),
        (json.loads('"a\\ud83d"'), "a\ufffd"),
        (json.loads('"\\ude00b"'), "\ufffdb"),
        (json.loads('"\\ud83d"') + json.loads('"\\ude00"'), "\U0001f600"),
        (json.loads('"\\ud83d\\ud83d\\ude00"'), "\ufffd\U0001f600"),
    ],
)
def test_what_utf8_cannot_hold_is_replaced(text: str, expected: str) -> None:
    assert well_formed(text) == expected
    assert well_formed(text).encode()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("two\nlines\tand a tab", "two\nlines\tand a tab"),
        ("\x1b[31mred\n", "\\x1b[31mred\n"),
        ("over\rwritten", r"over\rwritten"),
        ("evil\u202egpj", r"evil\u202egpj"),
        ("ü € 漢字 😀 C:\\new", "ü € 漢字 😀 C:\\new"),
    ],
)
def test_our_own_line_breaks_stay(text: str, shown: str) -> None:
    assert visible(text) == shown
    assert visible("a\nb", keep="") == r"a\nb"


@pytest.mark.parametrize(
    "value",
    [{"a": ["\x1b[2J", "\x9b", "\u202e", "\U000e0041", "\ud800"]}, ["plain", "ü\n"], {"\x07": 1}],
)
def test_json_keeps_its_values_and_has_no_power(value: object) -> None:
    text = visible_json(json.dumps(value, indent=1, ensure_ascii=False))
    assert json.loads(text) == value
    assert all(line.isprintable() for line in text.splitlines())


@pytest.mark.parametrize(
    ("names", "most", "said"),
    [
        (["a"], None, "a"),
        (["a", "b", "c"], None, "a, b and c"),
        (["a", "b", "c"], 3, "a, b and c"),
        (["a", "b", "c", "d"], 2, "a, b and 2 more"),
    ],
)
def test_a_long_list_names_so_many(names: list[str], most: int | None, said: str) -> None:
    assert listed(names, most) == said
