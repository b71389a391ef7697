"""Fidelity: how much a quant changes the baseline's answers, whether they are right or wrong."""
