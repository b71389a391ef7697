"""What we did to a server that is not ours, in the file where a server's own messages would be."""

from __future__ import annotations

from pathlib import Path

from orket_lib.vocabulary.clock import utc_now


class Diary:
    """Lines with their time, in a new file.

    Args:
        path: Of the file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        path.write_text("", encoding="utf-8")

    def say(self, text: str) -> None:
        """Write a line."""
        with self._path.open("a", encoding="utf-8", errors="backslashreplace") as stream:
            stream.write(f"{utc_now()} {text}\n")
