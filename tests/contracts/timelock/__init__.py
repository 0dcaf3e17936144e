"""The owner and its delay."""
