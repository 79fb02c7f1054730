"""The sockets of the cloud: its one port on 127.0.0.1, the name server's, and the same port on one address per region.

In: the requested port, and the one used last time. Out: bound sockets. It binds nothing but loopback.
"""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Mapping

from workshop.errors import UsageError

__all__ = ["ANY_FREE_PORT", "DEFAULT_PORT", "NAMES_PORT", "listening_socket", "name_server_sockets", "region_sockets"]

DEFAULT_PORT = 4566
NAMES_PORT = 4567
TRIED = 200
ANY_FREE_PORT = 0
"""As a port that is asked for: one that the system chooses."""


def listening_socket(requested: int | None, remembered: int | None) -> socket.socket:
    """A listening socket on the requested port (argument, else `WORKSHOP_PORT`), which must be free; without a request, on the
    remembered one, 4566 or the next that is free; for 0 on any. Raises `UsageError`."""
    if requested == ANY_FREE_PORT:
        return _bound(ANY_FREE_PORT)
    wanted = requested if requested is not None else _from_environment()
    if wanted is not None:
        return _bound(_valid(wanted, str(wanted)))
    candidates = [remembered] if remembered else []
    for port in [*candidates, *range(DEFAULT_PORT, DEFAULT_PORT + TRIED)]:
        try:
            return _bound(port)
        except UsageError:
            continue
    raise UsageError(
        what=f"No port between {DEFAULT_PORT} and {DEFAULT_PORT + TRIED} is free.",
        why="The local cloud needs one on 127.0.0.1.",
        fix="Name a free one: WORKSHOP_PORT=18080 workshop cloud start",
        code="NoPort",
    )


def name_server_sockets(remembered: int, beside: int) -> tuple[socket.socket, socket.socket] | None:
    """A UDP and a listening TCP socket on the same port of 127.0.0.1: the remembered one, the one after the cloud's own port
    (4567 after 4566), else 4567 or the next that is free; None when there is none."""
    next_one = [beside + 1] if beside < 65535 else []
    for port in [*([remembered] if remembered else []), *next_one, *range(NAMES_PORT, NAMES_PORT + TRIED)]:
        datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            datagrams.bind(("127.0.0.1", port))
            streams = _listening("127.0.0.1", port)
        except OSError:
            datagrams.close()
            continue
        datagrams.setblocking(False)
        streams.setblocking(False)
        return datagrams, streams
    return None


def region_sockets(addresses: Mapping[str, str], port: int) -> dict[str, socket.socket]:
    """A listening socket for each of the regions' addresses that can be bound; none where loopback has one address only
    (macOS)."""
    found: dict[str, socket.socket] = {}
    for region, address in addresses.items():
        try:
            found[region] = _listening(address, port)
        except OSError as error:
            if error.errno == errno.EADDRNOTAVAIL:
                break
    return found


def _from_environment() -> int | None:
    text = os.environ.get("WORKSHOP_PORT", "").strip()
    if not text:
        return None
    return _valid(int(text) if text.isascii() and text.isdigit() else -1, text)


def _valid(port: int, text: str) -> int:
    if not 0 < port < 65536:
        raise UsageError(
            what=f"Not a port: {text}.",
            why="A port is a whole number from 1 to 65535.",
            fix="For example: export WORKSHOP_PORT=4566",
            code="Port",
        )
    return port


def _bound(port: int) -> socket.socket:
    try:
        return _listening("127.0.0.1", port)
    except OSError as error:
        why = "Another program uses it." if error.errno == errno.EADDRINUSE else f"{error.strerror}."
        other = port + 1 if port < 65535 else DEFAULT_PORT
        raise UsageError(
            what=f"Port {port} on 127.0.0.1 cannot be used.",
            why=why,
            fix=f"Choose another one: WORKSHOP_PORT={other} workshop cloud start",
            code="PortInUse",
        ) from error


def _listening(address: str, port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        listener.bind((address, port))
        listener.listen(512)
    except OSError:
        listener.close()
        raise
    return listener
