"""Base class of errors that a user can fix."""

from __future__ import annotations


class UserError(Exception):
    """An error that a user can understand and fix. The message is for people, one line per problem."""
