"""The sections of the operator report."""
