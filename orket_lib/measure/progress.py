"""What the harness tells whoever watches; the command line draws it, tests ignore it."""

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


class Silent:
    """Nobody watches."""

    def plan(self, steps: int, done: int) -> None:
        """Ignore the plan."""

    def say(self, text: str) -> None:
        """Ignore the text."""

    def step(self) -> None:
        """Ignore the step."""
