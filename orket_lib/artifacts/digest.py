"""Canonical JSON, and digests of it: equal content has equal bytes on every machine."""

from __future__ import annotations

import hashlib
import json
from typing import Any

DIGEST_LENGTH = 12


def canonical_json(value: Any) -> str:
    """Return compact JSON with sorted keys; NaN and infinities raise ValueError."""
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )


def sha256_of(value: Any) -> str:
    """Return the hex SHA-256 of a value's canonical JSON."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()


def digest_of(value: Any) -> str:
    """Return the short digest that names a measurement's folder (12 hex digits)."""
    return sha256_of(value)[:DIGEST_LENGTH]
