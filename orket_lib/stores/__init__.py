"""Door 4: what is remembered from sweep to sweep, in files that many processes may write."""
