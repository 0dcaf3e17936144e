"""What all errors that a user can put right have in common."""

from __future__ import annotations


class UserError(Exception):
    """Something that a user can understand and put right. The message is one line for people."""
