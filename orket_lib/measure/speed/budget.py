"""The time that a session may spend on anything but graded work (T29).

It is a minute: half of it until the server is warm, half of it for probes before the tasks. What
doesn't fit is shortened, or comes after the tasks; see `readiness`. A canary and the first cell
after it share the minute, including the test requests that find out which request fields a running
server accepts.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Budget:
    """Time limits for anything but graded work, in seconds.

    Attributes:
        ready_s: Calibration and warm-up.
        probe_s: One probe; a slower server gets shorter probes.
        probes_s: All probes before the tasks.
    """

    ready_s: float = 24.0
    probe_s: float = 10.0
    probes_s: float = 30.0

    def scaled(self, factor: float) -> Budget:
        """Return the budget multiplied by a factor."""
        return Budget(self.ready_s * factor, self.probe_s * factor, self.probes_s * factor)


BUDGET = Budget()
