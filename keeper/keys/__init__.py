"""The keeper's key: where it comes from, what it signs, and that it shows nowhere."""
