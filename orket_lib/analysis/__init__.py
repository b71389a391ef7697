"""Pure functions from artifacts to artifacts: no clock, no file, no process, no network."""
