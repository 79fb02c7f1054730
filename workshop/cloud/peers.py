"""Whose process is at the other end of a connection on loopback.

In: the two addresses of an accepted connection. Out: the user id of the peer, or None when the system does not tell. On Linux
the kernel's connection tables are read; elsewhere psutil looks through this user's own processes.
"""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

__all__ = ["Address", "peer_uid", "uid_by_kernel_table", "uid_by_processes"]

Address = tuple[str, int]
TABLES = (("/proc/net/tcp", socket.AF_INET), ("/proc/net/tcp6", socket.AF_INET6))
LOCAL, REMOTE, OWNER, INODE = 1, 2, 7, 9
"""Columns of the kernel's tables (Linux, Documentation/networking/proc_net_tcp.rst)."""


def peer_uid(peer: Address, here: Address) -> int | None:
    """The user id of the process that connected from `peer` to `here`, two (IPv4 address, port) pairs."""
    return uid_by_kernel_table(peer, here) if Path(TABLES[0][0]).exists() else uid_by_processes(peer, here)


def uid_by_kernel_table(peer: Address, here: Address) -> int | None:
    """From `/proc/net/tcp` and `tcp6`. A connection whose process is gone has inode 0 and shows user 0: it belongs to no user."""
    for table, family in TABLES:
        local, remote = (f"{_hexadecimal(address, family)}:{port:04X}" for address, port in (peer, here))
        try:
            content = Path(table).read_text()
        except OSError:
            continue
        at = content.find(f" {local} {remote} ")
        if at >= 0:
            fields = content[content.rfind("\n", 0, at) + 1 : content.find("\n", at)].split()
            return int(fields[OWNER]) if int(fields[INODE]) else None
    return None


def uid_by_processes(peer: Address, here: Address) -> int | None:
    """By psutil: our own user id when one of this user's processes holds the connection, else None."""
    import psutil

    mine = os.geteuid()
    for process in psutil.process_iter():
        try:
            if process.uids().effective != mine:
                continue
            connections = process.net_connections(kind="tcp")
        except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
            continue
        if any(_plain(entry.laddr) == peer and _plain(entry.raddr) == here for entry in connections):
            return mine
    return None


def _hexadecimal(address: str, family: int) -> str:
    """An IPv4 address as the kernel prints it: each 32 bits in the machine's byte order, in `tcp6` mapped into IPv6."""
    packed = socket.inet_aton(address)
    words = [packed] if family == socket.AF_INET else [bytes(4), bytes(4), b"\x00\x00\xff\xff", packed]
    return "".join(f"{int.from_bytes(word, sys.byteorder):08X}" for word in words)


def _plain(address: tuple[str, int] | tuple[()]) -> Address | None:
    return (address[0].removeprefix("::ffff:"), address[1]) if address else None
