"""The keeper's key: where it comes from and what it may sign."""
