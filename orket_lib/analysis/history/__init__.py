"""Records of earlier sweeps, compared and over time."""
