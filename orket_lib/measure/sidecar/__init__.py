"""Hardware sidecars: runs their probe commands."""
