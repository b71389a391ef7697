"""Families of tasks: reasoning."""
