"""Runs a fund through a published month on a fork of the local mainnet, and measures the cost."""
