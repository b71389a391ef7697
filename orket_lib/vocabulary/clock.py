"""Wall-clock time stamps; durations come from the monotonic clock, never from these."""

from __future__ import annotations

from datetime import UTC, datetime


def utc_now() -> str:
    """Return the current time as ISO 8601 with milliseconds and a Z."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def file_stamp(moment: str) -> str:
    """Return a time stamp as a file name: `2026-11-23T15:04:05.123Z` is `20261123T150405.123Z`."""
    return moment.replace("-", "").replace(":", "")


def parse_time(text: str) -> datetime:
    """Return an ISO 8601 time as UTC; one without an offset is taken as UTC.

    Times are compared as what this returns, never as text: `10:00:00Z`, `10:00:00.5Z` and
    `12:00:00+02:00` don't sort by their letters.

    Raises:
        ValueError: The text is no such time.
    """
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return moment.astimezone(UTC)
    except OverflowError:  # an offset that leads out of the calendar
        raise ValueError(f"no time that a calendar has: {text!r}") from None
