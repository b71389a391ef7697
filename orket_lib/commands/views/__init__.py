"""Commands of the workflow that make files from files."""
