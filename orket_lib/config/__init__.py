"""The typed config: loaded, checked and resolved once; nobody reads the raw mapping after that."""
