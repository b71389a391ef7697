"""Records of earlier sweeps: comparison, and metrics over time."""
