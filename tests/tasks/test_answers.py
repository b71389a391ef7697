from __future__ import annotations

from decimal import Decimal
from time import process_time

import pytest

from orket_lib.tasks.answers import fingerprint, normalize, only_number


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("  a b \n", "a b", id="outer white space"),
        pytest.param("a  b", "a  b", id="inner white space stays"),
        pytest.param("a \r\nb\t\r\n", "a\nb", id="line ends and trailing blanks"),
        pytest.param("A", "A", id="case stays"),
        pytest.param("a.", "a.", id="punctuation stays"),
        pytest.param("cafe\u0301", "caf\u00e9", id="composed"),
        pytest.param("```json\n{}\n```", "{}", id="outer fence"),
        pytest.param("```\na\n\n```", "a\n", id="fence keeps inner lines"),
        pytest.param("``` json \n{} \n```  ", "{}", id="fence with blanks"),
        pytest.param("x\n```\na\n```", "x\n```\na\n```", id="inner fence stays"),
        pytest.param("`a`", "`a`", id="inline code stays"),
        pytest.param("<think>7 or 8?</think>\n\n7", "7", id="leading thoughts"),
        pytest.param(" <thinking>x\ny</thinking>7", "7", id="thoughts over lines"),
        pytest.param("7 <think>8</think>", "7 <think>8</think>", id="later thoughts stay"),
        pytest.param("<think>a</think>\n<think>b</think>7", "7", id="one after the other"),
        pytest.param("<think>a</thinking>7", "", id="other closing tag"),
        pytest.param("<think>I guess 7", "", id="thinking that never ends"),
        pytest.param("I guess 8\n</think>\n\n7", "7", id="thinking that the template began"),
        pytest.param("So it is 8.</think>\n7", "7", id="its end at the end of a line"),
        pytest.param("a </think> tag", "a </think> tag", id="a tag that is spoken of"),
        pytest.param("", "", id="nothing"),
    ],
)
def test_normalising_changes_only_the_wrapping(text: str, expected: str) -> None:
    assert normalize(text) == expected


def test_normalising_twice_changes_nothing_more() -> None:
    for text in ("  a \n b ", "```\nx\n```", "<think>q</think> 7 ", "cafe\u0301"):
        assert normalize(normalize(text)) == normalize(text)


@pytest.mark.parametrize(
    "marks",
    [
        "\u0301\u0316" * 250_000,
        "\u0f73" * 500_000,  # in no class of its own, but made of two marks that are
        "\u0344" * 500_000,
        "\u0300\u0301\u0302" * 150_000,
    ],
    ids=ascii,
)
def test_marks_without_end_take_no_time(marks: str) -> None:
    begin = process_time()
    assert normalize(f"a{marks}") == f"a{marks}"
    assert process_time() - begin < 2


def test_text_at_the_limit_of_marks_is_composed_in_a_moment() -> None:
    text = ("a" + "\u0316\u0301" * 15) * 32_000
    begin = process_time()
    assert normalize(text).startswith("\u00e1\u0316")
    assert normalize("a" + "\u0316\u0301" * 15 + "\u0301").startswith("a\u0316")
    assert process_time() - begin < 5


def test_equal_answers_have_equal_fingerprints_and_others_do_not() -> None:
    assert fingerprint("7\n") == fingerprint("<think>hm</think>7") == fingerprint("```\n7\n```")
    assert fingerprint("7") != fingerprint("7.")
    assert fingerprint("7") != fingerprint("07")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("67", "67", id="bare"),
        pytest.param("The answer is 67.", "67", id="in a sentence"),
        pytest.param("**67**", "67", id="bold"),
        pytest.param("67 (67)", "67", id="twice the same"),
        pytest.param("3.0", "3", id="trailing zero"),
        pytest.param("-5", "-5", id="negative"),
        pytest.param("+5", "5", id="plus"),
        pytest.param("\u22125", "-5", id="typographic minus"),
        pytest.param("1,234", "1234", id="thousands"),
        pytest.param("1,234,567.5", "1234567.5", id="millions"),
        pytest.param("0.25", "0.25", id="fraction"),
        pytest.param("<think>maybe 3, or 4</think>5", "5", id="thoughts don't count"),
        pytest.param("```\n5\n```", "5", id="fenced"),
        pytest.param("9007199254740993", "9007199254740993", id="beyond 2**53"),
        pytest.param("", None, id="nothing"),
        pytest.param("none", None, id="no number"),
        pytest.param("67 94", None, id="two candidates"),
        pytest.param("60 + 7 = 67", "67", id="an echo of the question"),
        pytest.param("5-3", None, id="a difference"),
        pytest.param("5\u22123", None, id="a typographic difference"),
        pytest.param("It is \u20135.", "-5", id="a dash before a digit"),
        pytest.param("5\u20133", None, id="from one number to another"),
        pytest.param("the result \u2013 5", "5", id="a dash in a sentence"),
        pytest.param("5 and -5", None, id="both signs"),
        pytest.param("1/2", "0.5", id="a fraction"),
        pytest.param("1,23", "1.23", id="a decimal comma"),
        pytest.param("1.2.3", None, id="a version"),
        pytest.param("1.234,5", "1234.5", id="a European decimal"),
        pytest.param("12,345,6", None, id="broken thousands"),
        pytest.param("1e5", "100000", id="an exponent"),
        pytest.param("0x10", None, id="hexadecimal"),
        pytest.param("x7", None, id="part of a word"),
        pytest.param("7th", None, id="an ordinal"),
        pytest.param("7\u00b2", None, id="a power"),
        pytest.param(".5", "0.5", id="no leading digit"),
        pytest.param("NaN", None, id="not a number"),
        pytest.param("10:30", None, id="a time"),
    ],
)
def test_an_answer_states_one_number_or_none(text: str, expected: str | None) -> None:
    assert only_number(text) == (None if expected is None else Decimal(expected))
