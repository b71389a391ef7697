"""A working folder in which a config can be resolved."""

from config_folder import folder

__all__ = ["folder"]
