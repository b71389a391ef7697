"""The fixed thresholds of the reason table: when a reason counts as seen. Policies are config."""

from __future__ import annotations

FOREIGN_CPU_RATIO = 0.10  # of all cores, not ours and not the server's, over a window
STEAL_RATIO = 0.05  # of all cores, given by the hypervisor to somebody else
SWAPPED_MIB = 1.0  # swapped in and out during a window
TELEMETRY_GAP_S = 3.0  # between two samples
FOREIGN_GPU_MIB = 256.0  # that a foreign process takes on a GPU during a window
FOREIGN_GPU_RATIO = 0.05  # of a window, in which a foreign process's work runs on a GPU
THROTTLED_RATIO = 0.01  # of the samples of a window, in which heat or a power cap slows a GPU
# Busy time whose energy each edge of a window may lose to the idle time beside it: GPUs are looked
# at five times a second, counters move ten times a second, a driver's power is the last second's.
ENERGY_EDGE_S = {"counter": 0.04, "power": 0.3, "mixed": 0.3}
ENERGY_LOST_RATIO = 0.03  # of the windows' time; beyond it there is no number
CACHED_TOKENS = 16  # beyond the chat template's own prefix
FEWEST_PROMPT_RATIO = 0.9  # of the prompt tokens that a probe sent, by our own count
SIDECAR_DIVERGENCE = 0.25  # beyond it, of the task runs' rate, the report says so

# A sweep against its baselines.
REGRESSION_ALPHA = 0.05  # chance of a false finding in a sweep: one about answers, one about speeds
REGRESSION_FLOOR = 0.02  # of the baseline: what is smaller is no finding, however sure it is
FEWEST_BASELINES = 3  # fewer measurements don't show how much a host drifts between two sweeps

# Counted bits per weight against the tag's nominal ones. The largest models lie 6 % below the table
# (Q2_K at 70 billion weights); neighbouring k-quants are 13 % to 22 % apart.
FEWEST_BITS_RATIO = 0.90
MOST_BITS_RATIO = 1.33

# Adherence of a baseline below which keeping most of it says nothing: that much comes by luck.
LEAST_BASELINE_ADHERENCE = 0.05
