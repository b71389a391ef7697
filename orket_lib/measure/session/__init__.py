"""A served, warm model, and what is watched while it is measured."""
