# SPDX-License-Identifier: MIT
"""A network for a test alone, in which any port is free and any name leads where the test wants.

As a program, it runs a command in the network namespace that it was started in, with a loopback.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import socket
import struct
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

CLONE_NEWNET = 0x40000000
SIOCSIFFLAGS = 0x8914
IFF_UP = 0x1
DNS_HEADER = struct.Struct(">6H")
TYPE_A = 1
LOOPBACK = socket.inet_aton("127.0.0.1")


@contextmanager
def own_network() -> Iterator[None]:
    """For this thread, and for the threads and processes that it starts meanwhile.

    Where that is not permitted, as in most containers, it is the machine's own loopback; its ports
    are likely to be free there.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    before = os.open(f"/proc/self/task/{threading.get_native_id()}/ns/net", os.O_RDONLY)
    try:
        entered = libc.unshare(CLONE_NEWNET) == 0
        if entered:
            bring_up_loopback()
        yield
        if entered and libc.setns(before, CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), "setns")
    finally:
        os.close(before)


def bring_up_loopback() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        request = struct.pack("16sH14x", b"lo", IFF_UP)
        fcntl.ioctl(control, SIOCSIFFLAGS, request)


@contextmanager
def name_server(names: list[str]) -> Iterator[None]:
    """On port 53 of the loopback: these names are 127.0.0.1, and no other exists."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 53))
        thread = threading.Thread(target=answer_questions, args=(server, names))
        thread.start()
        try:
            yield
        finally:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
                last.sendto(b"", ("127.0.0.1", 53))
            thread.join()


def answer_questions(server: socket.socket, names: list[str]) -> None:
    while True:
        query, sender = server.recvfrom(512)
        if not query:
            return
        server.sendto(dns_answer(query, names), sender)


def dns_answer(query: bytes, names: list[str]) -> bytes:
    number, _, _, _, _, _ = DNS_HEADER.unpack_from(query)
    labels, at = [], DNS_HEADER.size
    while length := query[at]:
        labels.append(query[at + 1 : at + 1 + length].decode().lower())
        at += 1 + length
    question = query[DNS_HEADER.size : at + 5]
    (wanted_type,) = struct.unpack_from(">H", query, at + 1)
    known = ".".join(labels) in names
    answer = b""
    if known and wanted_type == TYPE_A:
        answer = struct.pack(">HHHIH", 0xC00C, TYPE_A, 1, 60, len(LOOPBACK)) + LOOPBACK
    flags = 0x8180 if known else 0x8183
    return DNS_HEADER.pack(number, flags, 1, bool(answer), 0, 0) + question + answer


if __name__ == "__main__":
    bring_up_loopback()
    os.execvp(sys.argv[1], sys.argv[1:])
