"""`orket doctor`: what a machine can run, and a config to start from."""
