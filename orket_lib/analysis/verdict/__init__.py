"""Verdicts: whether a quant keeps the baseline's adherence, how certain that is, what to run."""
