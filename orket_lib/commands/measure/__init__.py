"""Workflow steps that load a model, or check whether one can be loaded."""
