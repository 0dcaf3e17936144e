"""Explains in words what a fund's owner, its timelock, would do: calls, operations, and how file and chain differ.

Pure: the caller passes in what it has read from the chain.
"""
