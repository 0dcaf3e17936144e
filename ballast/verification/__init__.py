"""Verifies a fund's sources at block explorers."""
