"""Asking a model one task, and grading the answer."""
