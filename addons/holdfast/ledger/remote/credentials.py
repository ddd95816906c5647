"""Who is at the other end of a Unix socket, as the operating system says."""

import os
import socket
import struct


def peer_uid(connected: socket.socket) -> int:
    """The user id of the process at the other end, as of connect() or listen(); socket(7), SO_PEERCRED.

    Where the system has no such option only the file's mode keeps others out, so the peer counts as ourselves.
    """
    option = getattr(socket, "SO_PEERCRED", None)
    if option is None:
        return os.geteuid()
    layout = struct.Struct("3i")
    data: bytes = connected.getsockopt(socket.SOL_SOCKET, option, layout.size)
    return int(layout.unpack(data)[1])
