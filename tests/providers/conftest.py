"""Providers are tried on the reference model, as the traps are."""

from __future__ import annotations
