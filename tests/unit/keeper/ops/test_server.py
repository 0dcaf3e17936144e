"""The HTTP server: what it answers, and that nobody can hold it."""

from __future__ import annotations

import contextlib
import http.client
import socket
import threading
from collections.abc import Iterator

import pytest

from keeper.errors import SettingsError
from keeper.ops import server as module
from keeper.ops.server import MAX_CONNECTIONS, Response, Server, is_loopback
from keeper.ops.troubles import Troubles
from tests.helpers.waiting import PATIENCE_S, wait_for


@pytest.fixture
def gate() -> threading.Event:
    """What /slow waits for."""
    return threading.Event()


@pytest.fixture
def server(gate: threading.Event) -> Iterator[Server]:
    def slow() -> Response:
        gate.wait(PATIENCE_S)
        return Response(200, "text/plain", b"at last")

    def broken() -> Response:
        raise ValueError("0xsecret")

    routes = {
        "/one": lambda: Response(203, "text/x-own", b"body", (("Cache-Control", "max-age=1"),)),
        "/slow": slow,
        "/broken": broken,
    }
    with Server("127.0.0.1", 0, routes) as found:
        yield found
        gate.set()


def ask(server: Server, path: str, method: str = "GET") -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE_S)
    try:
        connection.request(method, path)
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()
    finally:
        connection.close()


def test_answers_its_routes_and_nothing_else(server: Server) -> None:
    status, headers, body = ask(server, "/one?with=query")
    assert (status, body, headers["Content-Type"]) == (203, b"body", "text/x-own")
    assert (headers["Cache-Control"], headers["X-Content-Type-Options"]) == ("max-age=1", "nosniff")
    for path in ("/", "/one/", "/../etc/passwd", "/keeper/ops/server.py", "/%6fne"):
        assert ask(server, path)[0] == 404, path


def test_head_has_no_body(server: Server) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE_S) as connection:
        connection.sendall(b"HEAD /one HTTP/1.0\r\n\r\n")
        said = b"".join(iter(lambda: connection.recv(4096), b""))
    assert said.startswith(b"HTTP/1.0 203 ") and b"Content-Length: 4\r\n" in said
    assert said.endswith(b"\r\n\r\n")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_other_methods_are_refused(server: Server, method: str) -> None:
    status, headers, _ = ask(server, "/one", method)
    assert (status, headers["Allow"]) == (405, "GET, HEAD")


def test_what_fails_says_nothing_of_why(server: Server, capfd: pytest.CaptureFixture[str]) -> None:
    status, _, body = ask(server, "/broken")
    assert status == 500 and b"secret" not in body
    said = "".join(capfd.readouterr())
    assert "ValueError" in said and "secret" not in said


def test_connections_are_bounded_and_slow_ones_are_let_go(
    server: Server, gate: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Until then nobody is shown the door, however slowly this goes.
    monkeypatch.setattr(module, "LONGEST_S", 10 * PATIENCE_S)
    monkeypatch.setattr(module._Handler, "timeout", 10 * PATIENCE_S)
    held = [socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE_S) for _ in range(MAX_CONNECTIONS)]
    try:
        for connection in held:
            connection.sendall(b"GET /slow HTTP/1.0\r\n\r\n")
        with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
            ask(server, "/one")
        gate.set()
        assert all(connection.recv(4).startswith(b"HTTP") for connection in held)
        # Free again once all threads have ended, and a client that never ends its request is shown the door.
        http_server = server._http
        assert http_server is not None
        wait_for(lambda: http_server._slots._value == MAX_CONNECTIONS, "free slots")
        monkeypatch.setattr(module, "LONGEST_S", 0.0)
        idle = socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE_S)
        idle.sendall(b"GET /one HTTP/1.0\r\n")
        assert idle.recv(1) == b""
        idle.close()
    finally:
        for connection in held:
            connection.close()


def test_an_address_that_can_never_serve_is_refused_by_name() -> None:
    with pytest.raises(SettingsError, match=r"BALLAST_HTTP_PORT: cannot listen on no such host, port 80"):
        Server("no such host", 80, {})


def test_a_port_in_use_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FIRST_PAUSE_S", 0.01)
    monkeypatch.setattr(module, "LONGEST_PAUSE_S", 0.01)
    troubles = Troubles()
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        held.listen()
        port = held.getsockname()[1]
        with Server("127.0.0.1", port, {}, troubles):
            pass  # it ends although it never listened
        found = Server("127.0.0.1", port, {"/": lambda: Response(200, "text/plain", b"at last")}, troubles)
        found.start()
        (trouble,) = troubles.standing
        assert trouble.kind == "http" and f"cannot listen on 127.0.0.1, port {port}" in trouble.text
    wait_for(lambda: not troubles.standing, "a server that listens")
    with contextlib.closing(found):
        assert ask(found, "/")[2] == b"at last"


def test_nothing_listens_after_close(server: Server) -> None:
    with Server("127.0.0.1", 0, {}) as other:
        port = other.port
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S)


def test_loopback() -> None:
    assert [is_loopback(host) for host in ("127.0.0.1", "127.8.0.1", "::1", "localhost")] == [True] * 4
    assert [is_loopback(host) for host in ("0.0.0.0", "::", "10.0.0.1", "example.org")] == [False] * 4
