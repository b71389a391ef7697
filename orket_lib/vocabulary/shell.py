"""Commands as one line that people can type."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from collections.abc import Iterable

# Words that neither cmd nor PowerShell reads as more than a word.
_PLAIN = re.compile(r"[\w.:\\/=+@%-]+")


def shell_line(words: Iterable[str], windows: bool = os.name == "nt") -> str:
    """Return a command as a shell takes it.

    Args:
        words: The program and its arguments.
        windows: Quote for cmd and PowerShell, rather than for a POSIX shell.
    """
    return " ".join(map(_windows_word, words)) if windows else shlex.join(words)


def _windows_word(word: str) -> str:
    quoted = subprocess.list2cmdline([word])
    return f'"{word}"' if quoted == word and not _PLAIN.fullmatch(word) else quoted
