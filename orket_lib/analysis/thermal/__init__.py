"""The thermal profile: series of latencies and temperatures, their trend, and what follows."""
