"""The typed config: loaded and checked once, then the only form in which settings are read."""
