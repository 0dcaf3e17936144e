"""Errors of a sandbox, with messages for the user."""

from __future__ import annotations

from ballast.errors import UserError


class SandboxError(UserError, ValueError):
    """A sandbox that cannot be made or used as described; the message has a line for each problem."""
