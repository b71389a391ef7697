"""Asks a model a task, and grades the answer."""
