"""Families of tasks: numbers."""
