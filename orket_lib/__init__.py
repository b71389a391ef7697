"""Orket Quant Sweep: measure every quantization of a model, and say which one to run."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("orket-quant-sweep")
except PackageNotFoundError:  # a checkout that was never installed
    __version__ = "0+unknown"

__all__ = ["__version__"]
