"""GPU readings: samples, windows and energy."""
