"""The interface for progress reports: the command line draws them, tests ignore them."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Receives the steps of a measurement."""

    def plan(self, steps: int, done: int) -> None:
        """Announce how many steps there are, and how many an earlier start has done."""

    def say(self, text: str) -> None:
        """Announce what happens next."""

    def step(self) -> None:
        """Report that one step is done."""
