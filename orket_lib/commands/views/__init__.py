"""Workflow steps that make files from files."""
