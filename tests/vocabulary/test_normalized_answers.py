from __future__ import annotations

from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orket_lib.vocabulary.answers import fingerprint, normalize, same_start


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
        pytest.param("<think>a</think><think>b</think>7", "<think>b</think>7", id="only the first"),
        pytest.param("<think>a</thinking>7", "", id="other closing tag"),
        pytest.param("<think>I guess 7", "", id="thinking that never ends"),
        pytest.param("I guess 8</think>7", "7", id="thinking that the template began"),
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


def test_a_hundred_megabytes_have_a_fingerprint_within_seconds() -> None:
    answer = "a " * 50_000_000
    begin = process_time()
    assert fingerprint(answer) == fingerprint("a " * 50_000_000)
    assert process_time() - begin < 5
    assert fingerprint(answer) != fingerprint(answer[:-1])


ANSWERS = st.none() | st.text("ab ", max_size=6)


@given(ANSWERS, ANSWERS)
def test_the_common_start_has_no_direction_and_is_whole_for_equals_only(
    one: str | None, other: str | None
) -> None:
    share = same_start(one, other)
    assert share == same_start(other, one)
    if share is None:
        assert one is other is None
    else:
        assert 0 <= share <= 1
        assert (share == 1) == (one == other)
