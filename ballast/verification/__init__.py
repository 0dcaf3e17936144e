"""Proves a fund's sources to explorers."""
