"""Whole months on the fork: determine, start, trade, end."""
