"""Addresses of servers: which of them are this machine."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit


def remote_host(url: str | None) -> str | None:
    """Return the host that an address names when it is another machine, else None."""
    host = urlsplit(url or "").hostname
    return host if host and not is_loopback(host) else None


def is_loopback(host: str) -> bool:
    """Tell whether a host is this machine, without asking a name server."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
