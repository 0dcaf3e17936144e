"""Errors of the tests in Solidity."""

from __future__ import annotations

from ballast.errors import UserError


class SolidityError(UserError):
    """forge gave no verdict, or a test failed."""
