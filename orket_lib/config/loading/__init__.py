"""From YAML files and `--config` to a checked config."""
