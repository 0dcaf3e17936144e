"""What can go wrong with a sandbox, for people."""

from __future__ import annotations

from ballast.errors import UserError


class SandboxError(UserError, ValueError):
    """A sandbox that cannot be made or used as it is described; a line for people for each problem."""
