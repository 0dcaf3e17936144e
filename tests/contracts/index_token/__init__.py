"""The index token, action by action."""
