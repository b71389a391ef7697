"""The config's sections, named as in the user's YAML."""
