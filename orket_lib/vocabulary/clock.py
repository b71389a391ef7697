"""Wall-clock time stamps; durations come from the monotonic clock, never from these."""

from __future__ import annotations

from datetime import UTC, datetime


def utc_now() -> str:
    """Return the current time as ISO 8601 with milliseconds and a Z."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def file_stamp(moment: str) -> str:
    """Return a time stamp as a file name: `2026-11-23T15:04:05.123Z` is `20261123T150405.123Z`."""
    return moment.replace("-", "").replace(":", "")
