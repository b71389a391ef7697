"""Targets that not every sweep has: batches, contexts, fidelity, sidecars, thermal series."""
