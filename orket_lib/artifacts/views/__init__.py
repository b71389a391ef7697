"""Artifacts in results/: derived from measurements, and cheap to make again."""
