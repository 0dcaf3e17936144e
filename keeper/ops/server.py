"""A small HTTP server that answers GET and HEAD on a few fixed paths and nothing else.

It serves no files, takes no input but the path, and answers each connection once. It bounds the number and the lifetime
of connections, so that no client can exhaust threads or hold one.
"""

from __future__ import annotations

import contextlib
import errno
import socket
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from types import TracebackType
from typing import Any

import structlog

from keeper.errors import SettingsError
from keeper.ops.troubles import Troubles

log = structlog.get_logger("keeper.http")

MAX_CONNECTIONS = 16
"""Connections at once; further ones are closed unanswered."""
SILENCE_S = 5.0
"""Seconds after which the server drops a silent client."""
LONGEST_S = 15.0
"""Longest life of a connection, seconds, however slow its client."""
FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 60.0
"""Wait between two attempts to listen on a port that is taken, seconds; it doubles up to the longest."""
_PASSING = (errno.EADDRINUSE, errno.EADDRNOTAVAIL)
_TURN_S = 0.2
"""Seconds between two checks whether to stop."""


@dataclass(frozen=True)
class Response:
    """A response. `headers` override the server's own of the same name."""

    status: int
    content_type: str
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()


Routes = Mapping[str, Callable[[], Response]]
"""The handler of each path. Handlers run concurrently in threads: they must lock what they share."""

_ALWAYS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}


class Server:
    """Answers in its own thread from `start` (or entering) to `close`.

    Port 0 takes a free one, see `port`. If another process holds the port, that thread waits for it and records the
    trouble in `troubles`: the server must not keep the fund's month from being done. Raises SettingsError if it can
    never listen.
    """

    def __init__(self, host: str, port: int, routes: Routes, troubles: Troubles | None = None) -> None:
        self.host = host
        self._wanted = port
        self._routes = routes
        self._troubles = troubles or Troubles()
        self._end = threading.Event()
        self._lock = threading.Lock()
        self._http = self._bound()
        self._thread = threading.Thread(target=self._run, name="http", daemon=True)

    @property
    def port(self) -> int:
        """The port on which it listens, or will."""
        return self._wanted if self._http is None else int(self._http.server_address[1])

    def start(self) -> None:
        """Starts answering."""
        if self._http is not None:
            self._said()
        self._thread.start()

    def close(self) -> None:
        """Stops listening, without waiting for requests in progress."""
        with self._lock:
            self._end.set()
        if self._thread.is_alive():
            if self._http is not None:
                self._http.shutdown()
            self._thread.join()
        if self._http is not None:
            self._http.server_close()

    def __enter__(self) -> Server:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _run(self) -> None:
        pause = FIRST_PAUSE_S
        while self._http is None:
            if self._end.wait(pause):
                return
            pause = min(LONGEST_PAUSE_S, 2 * pause)
            self._again()
        self._http.serve_forever(poll_interval=_TURN_S)

    def _again(self) -> None:
        """Tries again to listen, except while closing, so that no socket stays open."""
        with self._lock:
            if self._end.is_set():
                return
            self._http = self._bound()
        if self._http is not None:
            self._troubles.over("http")
            self._said()

    def _bound(self) -> _Bounded | None:
        """A listening server; None if the address is taken or not available yet. Raises SettingsError."""
        try:
            return _Bounded(self.host, self._wanted, self._routes)
        except (OSError, OverflowError) as error:
            reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
            text = f"BALLAST_HTTP_PORT: cannot listen on {self.host}, port {self._wanted} ({reason})"
            if not isinstance(error, OSError) or error.errno not in _PASSING:
                raise SettingsError(f"{text}; name an address and a free port of this machine") from None
        log.warning("cannot listen yet", error=text)
        self._troubles.hold("http", f"{text}; end who holds it, or name another")
        return None

    def _said(self) -> None:
        log.info("listening", host=self.host, port=self.port)
        if not is_loopback(self.host):
            log.warning("anyone who reaches this address can read the fund's and the keeper's state", host=self.host)


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach the address."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


class _Bounded(ThreadingHTTPServer):
    """Bounds the number of connections and the life of each."""

    daemon_threads = True
    request_queue_size = MAX_CONNECTIONS

    def __init__(self, host: str, port: int, routes: Routes) -> None:
        self.routes = dict(routes)
        self._slots = threading.BoundedSemaphore(MAX_CONNECTIONS)
        self._lock = threading.Lock()
        self._since: dict[socket.socket, float] = {}
        if ":" in host:
            self.address_family = socket.AF_INET6
        super().__init__((host, port), _Handler)

    def server_bind(self) -> None:
        # Skips the base class's look-up of the host name, as it may be slow.
        socket_address: Any = self.server_address
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(socket_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    def process_request(self, request: Any, client_address: Any) -> None:
        if not self._slots.acquire(blocking=False):
            self.shutdown_request(request)
            return
        with self._lock:
            self._since[request] = time.monotonic()
        try:
            super().process_request(request, client_address)
        except BaseException:
            self._done(request)
            raise

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._done(request)

    def _done(self, request: Any) -> None:
        with self._lock:
            self._since.pop(request, None)
        self._slots.release()

    def service_actions(self) -> None:
        """Closes connections older than `LONGEST_S`. The base class calls it periodically."""
        with self._lock:
            for request, since in self._since.items():
                if time.monotonic() - since > LONGEST_S:
                    with contextlib.suppress(OSError):  # gone already
                        request.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Silent: a client that goes away is no error."""


class _Handler(BaseHTTPRequestHandler):
    """One request."""

    server: _Bounded
    timeout = SILENCE_S
    server_version = "ballast"
    sys_version = ""

    def do_GET(self) -> None:
        self._answer(self._found())

    def do_HEAD(self) -> None:
        self._answer(self._found(), body=False)

    def _refuse(self) -> None:
        self._answer(_text(HTTPStatus.METHOD_NOT_ALLOWED, "GET and HEAD only", (("Allow", "GET, HEAD"),)))

    do_POST = do_PUT = do_DELETE = do_PATCH = do_OPTIONS = do_TRACE = do_CONNECT = _refuse  # noqa: N815

    def _found(self) -> Response:
        route = self.server.routes.get(self.path.partition("?")[0])
        if route is None:
            return _text(HTTPStatus.NOT_FOUND, "nothing here")
        try:
            return route()
        except Exception as error:
            # Only the type: the message may contain what neither client nor log should show.
            log.error("cannot answer", path=self.path.partition("?")[0], error=type(error).__name__)
            return _text(HTTPStatus.INTERNAL_SERVER_ERROR, "cannot answer, see the keeper's log")

    def _answer(self, response: Response, body: bool = True) -> None:
        self.send_response(response.status)
        headers = {**_ALWAYS, "Content-Type": response.content_type, "Content-Length": str(len(response.body))}
        for name, value in {**headers, **dict(response.headers)}.items():
            self.send_header(name, value)
        self.end_headers()
        if body:
            self.wfile.write(response.body)

    def log_message(self, *_: Any) -> None:
        """Silent: probes come every few seconds."""


def _text(status: HTTPStatus, text: str, headers: tuple[tuple[str, str], ...] = ()) -> Response:
    return Response(status, "text/plain; charset=utf-8", f"{text}\n".encode(), headers)
