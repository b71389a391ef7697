"""Commands that plan, run and watch sweeps."""
