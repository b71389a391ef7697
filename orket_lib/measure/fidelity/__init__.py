"""Fidelity by probabilities: what each quant expects next, at the same places of the same texts."""
