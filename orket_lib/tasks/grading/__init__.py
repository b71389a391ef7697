"""Grades answers: extraction of code, and graders."""
