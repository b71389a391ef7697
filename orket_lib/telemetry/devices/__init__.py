"""Readings of GPUs of all vendors behind one interface."""
