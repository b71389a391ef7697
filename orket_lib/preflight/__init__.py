"""Preflight: checks of everything that a sweep needs, before any model is loaded."""
