"""Notifies systemd that the keeper is up, alive or stopping, if it runs as a unit of `Type=notify`."""

from __future__ import annotations

import os
import socket


def tell(state: str) -> bool:
    """Sends a state such as READY=1; returns whether systemd got it, False if it does not listen."""
    path = os.environ.get("NOTIFY_SOCKET", "")
    if not path.startswith(("/", "@")):
        return False
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as out:
            # "@" means the zero byte of an abstract socket's name.
            out.connect("\0" + path[1:] if path.startswith("@") else path)
            out.send(state.encode())
    except OSError:
        return False
    return True
