"""What only the Snakefile needs: targets, forced jobs, stale views, code digests."""
