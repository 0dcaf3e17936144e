"""Periods and execution days."""
