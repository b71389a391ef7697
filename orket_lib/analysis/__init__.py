"""Pure functions from artifacts to artifacts: no clock, files, processes or network."""
