"""Waiting does not depend on how fast the machine is."""

from __future__ import annotations

import socket

import pytest

from tests.helpers.waiting import PATIENCE_S, dead_port, wait_for


def test_what_came_to_pass_while_nothing_was_let_run_is_seen() -> None:
    """Longer than the patience passes between two looks."""
    times = iter([0.0, 1.0, 2 * PATIENCE_S])
    looks = iter([0, 7])
    assert wait_for(lambda: next(looks), "it", clock=lambda: next(times), pause=lambda _: None) == 7


def test_what_does_not_come_is_named() -> None:
    now = 0.0

    def pause(seconds: float) -> None:
        nonlocal now
        now += PATIENCE_S

    with pytest.raises(AssertionError, match="a block of gold: did not come to pass"):
        wait_for(lambda: None, lambda: "a block of gold", clock=lambda: now, pause=pause)


def test_nobody_answers_at_a_dead_port_and_nobody_else_gets_it() -> None:
    with dead_port() as port:
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port))
        with socket.socket() as other, pytest.raises(OSError, match="in use"):
            other.bind(("127.0.0.1", port))
