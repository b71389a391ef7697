"""Which process of this machine serves an address, so that its memory and CPU can be measured.

A server that we did not start is found by the port that it listens on. The operating system shows
the process of a socket to its owner only, so None is common: the server of another user or in a
container is measured without its memory. A process that only relays a port is not the server, and
its memory is not the model's (T15).
"""

from __future__ import annotations

import socket
from typing import Any
from urllib.parse import urlsplit

import psutil

from orket_lib.vocabulary.providers import remote_host

_PORTS = {"http": 80, "https": 443}
_RELAYS = (
    "docker-proxy",
    "com.docker",
    "rootlessport",
    "slirp4netns",
    "pasta",
    "gvproxy",
    "limactl",
    "wslrelay",
    "svchost",
    "ssh",
    "socat",
)


def listening_pid(base_url: str) -> int | None:
    """Return the process that listens where an address of this machine points to.

    If a server and its workers share the socket, this is the server. None when the address is on
    another machine, nothing listens, unrelated processes share the port, the system hides the
    process, or the listener is a relay.
    """
    if remote_host(base_url) is not None:
        return None
    found = listeners(base_url)
    pid = found.pop() if len(found) == 1 else None
    return None if pid is None or _relays(pid) else _topmost(pid, base_url)


def listeners(base_url: str) -> set[int | None]:
    """Return the process of each socket that listens on a local address; None for a hidden one."""
    try:
        sockets = psutil.net_connections("tcp")
    except psutil.AccessDenied:  # macOS shows all sockets to root only
        return set()
    return {found.pid for found in sockets if _listens(found, base_url)}


def _listens(found: Any, base_url: str) -> bool:
    parts = urlsplit(base_url)
    return (
        found.status == psutil.CONN_LISTEN
        and found.laddr.port == (parts.port or _PORTS.get(parts.scheme))
        and found.laddr.ip in _addresses(parts.hostname or "")
    )


def _addresses(host: str) -> set[str]:
    """Return the local addresses on which a listener serves a host name."""
    try:
        own = {str(info[4][0]) for info in socket.getaddrinfo(host, None)}
    except OSError:
        own = {host}
    return own | {"0.0.0.0", "::"} | {f"::ffff:{address}" for address in own if ":" not in address}


def _topmost(pid: int, base_url: str) -> int:
    """Return the oldest ancestor that shares the socket, or the process itself."""
    try:
        parent = psutil.Process(pid).parent()
        shares = parent and any(_listens(it, base_url) for it in parent.net_connections("tcp"))
    except psutil.Error:
        return pid
    return _topmost(parent.pid, base_url) if parent and shares else pid


def _relays(pid: int) -> bool:
    try:
        return psutil.Process(pid).name().startswith(_RELAYS)
    except psutil.Error:
        return True
