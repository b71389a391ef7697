"""What only the Snakefile asks, and what its jobs know of it."""
