"""What measuring may cost in addition to the graded work (T29).

The parts of a session that grade nothing take at most a minute: half of it until the server is
warm, half of it for probes before the tasks. What doesn't fit gets shorter, or comes after the
tasks; see `readiness`. A canary and the first cell after it take a minute together, too, with what
a server that runs already is asked before it is known which fields of a request it takes.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Budget:
    """Seconds that a session may take for what is no graded work.

    Attributes:
        ready_s: To find out what has to be known, and to warm up.
        probe_s: One probe; a server that needs longer gets shorter ones.
        probes_s: All probes that come before the tasks.
    """

    ready_s: float = 24.0
    probe_s: float = 10.0
    probes_s: float = 30.0

    def scaled(self, factor: float) -> Budget:
        """Return the budget on a clock that runs `1 / factor` times as fast."""
        return Budget(self.ready_s * factor, self.probe_s * factor, self.probes_s * factor)


BUDGET = Budget()
