"""Bringing calls on the chain: what is signed, written down, sent, watched and replaced."""
