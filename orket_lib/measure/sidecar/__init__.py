"""Hardware sidecars: running their probe."""
