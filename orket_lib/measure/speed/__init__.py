"""Speed: warm-up, calibration and probes."""
