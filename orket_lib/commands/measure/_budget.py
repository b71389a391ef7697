"""What is left of a model's budget after its batches, for context sweep and thermal series."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from orket_lib.analysis.active_time import active_seconds
from orket_lib.artifacts.io import read_model
from orket_lib.artifacts.views.look import Look, Started
from orket_lib.artifacts.views.receipt import Receipt
from orket_lib.stores.parts import read_part
from orket_lib.vocabulary.units import duration

CODE = "BUDGET_SPENT"


@dataclass(frozen=True)
class Budget:
    """A model's share of the budget.

    Attributes:
        total_s: All of it, in seconds.
        spent_s: What is spent.
        since: Start of the sweep; what was measured before costs nothing.
    """

    total_s: float
    spent_s: float
    since: str

    def after(self, seconds: float) -> Budget:
        """Return the budget after so many more seconds."""
        return replace(self, spent_s=self.spent_s + seconds)

    def why_not(self, seconds: float) -> str | None:
        """Return why something that takes so long is left out; None if it fits.

        Args:
            seconds: An estimate; 0 if there is none, which fits as long as anything is left.
        """
        left = max(0.0, self.total_s - self.spent_s)
        if left and seconds <= left:
            return None
        takes = f"it would take about {duration(seconds)}, and " if seconds >= 1 else ""
        return f"{CODE}: {takes}{duration(left)} of {duration(self.total_s)} are left"


def add_budget(parser: argparse.ArgumentParser) -> None:
    """Add the options that name a budget."""
    parser.add_argument("--look", type=Path, help="last look at the model, with a budget")
    parser.add_argument("--started", type=Path, help="start of the sweep, with a budget")


def budget_of(options: argparse.Namespace, contexts: Iterable[Path] = ()) -> Budget | None:
    """Return what is left of the budget; None if there is none.

    Args:
        options: Of the command.
        contexts: Receipts of context sweeps of the model, which took some of it.
    """
    if options.look is None or options.started is None:
        return None
    look = read_model(options.look, Look)
    if look.budget_seconds is None:
        return None
    started = read_model(options.started, Started).started_at
    receipts = [read_model(path, Receipt) for path in contexts]
    parts = [read_part(part) for receipt in receipts for part in receipt.parts]
    spent = (look.seconds or 0.0) + active_seconds(parts, started)
    return Budget(look.budget_seconds, spent, started)
