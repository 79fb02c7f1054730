"""Whose process is at the other end of a connection on loopback.

In: the two addresses of an accepted connection. Out: the user id of the peer, or None when the system does not tell. On Linux
the kernel is asked for this one connection (`sock_diag`, some microseconds), or, where a container forbids that, its table of
all connections is read (`/proc/net/tcp`, milliseconds on a busy machine); elsewhere psutil looks through this user's processes.
"""

from __future__ import annotations

import errno
import os
import socket
import struct
import sys
import threading
from functools import lru_cache
from pathlib import Path

__all__ = ["Address", "peer_uid", "uid_by_kernel_query", "uid_by_kernel_table", "uid_by_processes"]

Address = tuple[str, int]
TABLES = (("/proc/net/tcp", socket.AF_INET), ("/proc/net/tcp6", socket.AF_INET6))
LOCAL, REMOTE, OWNER, INODE = 1, 2, 7, 9
"""Columns of the kernel's tables (Linux, Documentation/networking/proc_net_tcp.rst)."""


NETLINK_SOCK_DIAG, SOCK_DIAG_BY_FAMILY, NLMSG_ERROR, NLM_F_REQUEST = 4, 20, 2, 1
IPV4_IN_IPV6 = bytes(10) + b"\xff\xff"
ANY_STATE, LISTENING = 0xFFFFFFFF, 10
KERNEL_TELLS = Path(TABLES[0][0]).exists()
QUESTION_HEAD = struct.pack("=IHHII", 72, SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST, 1, 0) + struct.pack(
    "=BBBBI", socket.AF_INET, socket.IPPROTO_TCP, 0, 0, ANY_STATE
)
PORTS = struct.Struct(">HH")
QUESTION_TAIL = struct.pack("=III", 0, ANY_STATE, ANY_STATE)
"""Any interface, and the cookie that stands for any connection."""
ERROR = struct.Struct("=4xH10xi")
CONNECTION = struct.Struct("=17xB2x4s32s24xII")
"""Of the reply: state, ports, addresses, the owner's user id, inode (linux/inet_diag.h, inet_diag_msg)."""
_THREAD = threading.local()


def peer_uid(peer: Address, here: Address) -> int | None:
    """The user id of the process that connected from `peer` to `here`, two (IPv4 address, port) pairs."""
    if not KERNEL_TELLS:
        return uid_by_processes(peer, here)
    try:
        return uid_by_kernel_query(peer, here)
    except OSError:
        return uid_by_kernel_table(peer, here)


def uid_by_kernel_query(peer: Address, here: Address) -> int | None:
    """From Linux's `sock_diag` (man 7 sock_diag), for one connection. Raises `OSError` where the kernel may not be asked."""
    as_ipv4, as_ipv6 = _packed(peer[0], here[0])
    ports = PORTS.pack(peer[1], here[1])
    reply = _ask_kernel(QUESTION_HEAD + ports + as_ipv4 + QUESTION_TAIL)
    kind, number = ERROR.unpack_from(reply)
    if kind == NLMSG_ERROR:
        if number == -errno.ENOENT:
            return None
        raise OSError(-number, os.strerror(-number))
    state, of_ports, of_addresses, owner, inode = CONNECTION.unpack_from(reply)
    # Without a connection of these addresses the kernel answers with a listening socket of that port, which may be anybody's.
    if state == LISTENING or of_ports != ports or of_addresses not in (as_ipv4, as_ipv6) or not inode:
        return None
    return int(owner)


@lru_cache(maxsize=64)
def _packed(peer: str, here: str) -> tuple[bytes, bytes]:
    """Both addresses as the kernel has them: of an IPv4 client, and of one that speaks IPv6 to an IPv4 address."""
    packed = [socket.inet_aton(address) for address in (peer, here)]
    return b"".join(address.ljust(16, b"\0") for address in packed), b"".join(IPV4_IN_IPV6 + address for address in packed)


def _ask_kernel(message: bytes) -> bytes:
    """The reply to one message, on a socket that each thread keeps: to open one takes as long as the question itself."""
    kernel: socket.socket | None = getattr(_THREAD, "kernel", None)
    if kernel is None:
        kernel = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, NETLINK_SOCK_DIAG)
    _THREAD.kernel = None  # until the reply is here: what comes too late must not be taken for the next one
    try:
        kernel.send(message)
        reply = kernel.recv(4096)
    except BaseException:
        kernel.close()
        raise
    _THREAD.kernel = kernel
    return reply


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
