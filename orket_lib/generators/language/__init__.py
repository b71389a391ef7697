"""Families of tasks: language."""
