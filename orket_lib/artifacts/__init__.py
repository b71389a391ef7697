"""The files of a sweep: one module for each artifact, with its pydantic models."""
