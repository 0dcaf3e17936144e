"""Upkeep: determine, start and close behind the two functions of keeper networks."""
