"""Wall-clock time stamps; durations are measured with the monotonic clock, never with these."""

from __future__ import annotations

from datetime import UTC, datetime


def utc_now() -> str:
    """Return the current time as ISO 8601 with milliseconds and a Z."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def file_stamp(moment: str) -> str:
    """Return a time stamp as a file name: `2026-11-23T15:04:05.123Z` is `20261123T150405.123Z`."""
    return moment.replace("-", "").replace(":", "")


def parse_time(text: str) -> datetime:
    """Return an ISO 8601 time as UTC; without an offset it is UTC.

    Compare times as returned here, never as text: `10:00:00Z`, `10:00:00.5Z` and `12:00:00+02:00`
    do not sort alphabetically.

    Raises:
        ValueError: The text is not an ISO 8601 time.
    """
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return moment.astimezone(UTC)
    except OverflowError:  # the offset leads out of the calendar
        raise ValueError(f"not a time of the calendar: {text!r}") from None
