"""Artifacts in storage/: measurements, and their parts."""
