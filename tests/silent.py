"""Progress that is not shown."""

from __future__ import annotations


class Silent:
    """Ignores all progress."""

    def plan(self, steps: int, done: int) -> None:
        """Ignore the plan."""

    def say(self, text: str) -> None:
        """Ignore the text."""

    def step(self) -> None:
        """Ignore the step."""
