"""A command as one line is what a shell reads."""

from __future__ import annotations

import shlex

import pytest

from orket_lib.vocabulary.shell import shell_line

WORDS = ["orket", "sweep", "a b", "it's", "$HOME", "x;y", "", 'say "x"']


def test_a_posix_shell_reads_the_same_words() -> None:
    assert shlex.split(shell_line(WORDS, windows=False)) == WORDS


@pytest.mark.parametrize(
    ("word", "quoted"),
    [
        (r"C:\models\m-Q4_K_M.gguf", r"C:\models\m-Q4_K_M.gguf"),
        (r"C:\my models\m.gguf", r'"C:\my models\m.gguf"'),
        (r"C:\a&b\m.gguf", r'"C:\a&b\m.gguf"'),
        ("quants=[Q8_0,Q4_K_M]", '"quants=[Q8_0,Q4_K_M]"'),
        ("", '""'),
    ],
)
def test_on_windows_double_quotes_hold_what_a_shell_would_read(word: str, quoted: str) -> None:
    assert shell_line(["x", word], windows=True) == f"x {quoted}"
