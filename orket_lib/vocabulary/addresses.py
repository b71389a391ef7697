"""Addresses of servers, and which of them are this machine."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit


def server_address(url: str) -> str:
    """Return an address without a trailing slash.

    Raises:
        ValueError: It is not an HTTP address, or contains a user or password; says what is allowed.
    """
    try:
        parts = urlsplit(url)
        valid = parts.scheme in ("http", "https") and bool(parts.hostname)
        valid = valid and (parts.port is None or parts.port > 0)
    except ValueError:
        valid = False
    if not valid:
        raise ValueError("must be an address such as http://127.0.0.1:8080")
    if parts.username or parts.password:
        raise ValueError("must not hold a user or password")
    return url.rstrip("/")


def remote_host(url: str | None) -> str | None:
    """Return the host of an address if it is another machine, else None."""
    host = urlsplit(url or "").hostname
    return host if host and not is_loopback(host) else None


def is_loopback(host: str) -> bool:
    """Tell whether a host is this machine, without a DNS lookup."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
