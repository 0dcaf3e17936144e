"""Tells systemd that the keeper is up, alive and stopping, where it is run as a unit of `Type=notify`."""

from __future__ import annotations

import os
import socket


def tell(state: str) -> bool:
    """Sends a line such as READY=1; whether there is a systemd to hear it."""
    path = os.environ.get("NOTIFY_SOCKET", "")
    if not path.startswith(("/", "@")):
        return False
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as out:
            # A name with @ is of the abstract kind, which begins with a zero byte.
            out.connect("\0" + path[1:] if path.startswith("@") else path)
            out.send(state.encode())
    except OSError:
        return False
    return True
