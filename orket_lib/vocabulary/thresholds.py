"""The fixed thresholds of the reason table, and how values are compared with thresholds.

These thresholds are not configurable; the ones that are live in the config. Comparisons allow for
rounding and are never exact (trap T20).
"""

from __future__ import annotations

TOLERANCE = 1e-9

FOREIGN_CPU_RATIO = 0.10  # of all cores, used by other programs over a window
STEAL_RATIO = 0.05  # of all cores, that the hypervisor gave to other virtual machines
THROTTLED_PERIODS_RATIO = 0.05  # of the periods of a CPU quota, in which it was used up
SWAPPED_MIB = 1.0  # swapped in and out during a window
TELEMETRY_GAP_S = 3.0  # between two samples
FOREIGN_GPU_MIB = 256.0  # that another process allocates on a GPU during a window
FOREIGN_GPU_RATIO = 0.05  # of a window in which another process keeps a GPU busy
THROTTLED_RATIO = 0.01  # of the samples of a window in which heat or a power cap slows a GPU
# Busy seconds whose energy each edge of a window may lose to the idle time before or after it: GPUs
# are sampled five times a second, energy counters advance ten times a second, and a driver reports
# the average power of the last second.
ENERGY_EDGE_S = {"counter": 0.04, "power": 0.3, "mixed": 0.3}
ENERGY_LOST_RATIO = 0.03  # of the windows' time; above it the energy is null
CACHED_TOKENS = 16  # more than the chat template's own prefix
FEWEST_PROMPT_RATIO = 0.9  # of the prompt tokens that a probe sent, by our own count
SIDECAR_DIVERGENCE = 0.25  # from the rate of the task runs; above it the report warns

QUICK_TASKS = 60  # of a quick sweep

# A sweep against its baselines.
REGRESSION_ALPHA = 0.05  # chance of a false finding in a sweep, for answers and for speeds each
REGRESSION_FLOOR = 0.02  # of the baseline: a smaller change is ignored, however significant
FEWEST_BASELINES = 3  # fewer don't show how much a host drifts between two sweeps

# Counted bits per weight against the tag's nominal bits. The largest models lie 6 % below the table
# (Q2_K at 70 billion weights); neighbouring k-quants are 13 % to 22 % apart.
FEWEST_BITS_RATIO = 0.90
MOST_BITS_RATIO = 1.33

# A baseline with a lower adherence answers by luck, so keeping most of it would mean nothing.
LEAST_BASELINE_ADHERENCE = 0.05


def exceeds(value: float, limit: float) -> bool:
    """Tell whether a value is above a limit; an equal one is not."""
    return value > limit + TOLERANCE


def reaches(value: float, threshold: float) -> bool:
    """Tell whether a value is at or above a threshold (0.8 x 0.9 reaches 0.72)."""
    return value >= threshold - TOLERANCE
