"""Prompt and decode rates: warm-up, calibration and probes."""
