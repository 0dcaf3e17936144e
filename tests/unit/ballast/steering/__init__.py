"""Calls, operations and differences of those who steer a fund, without a chain."""
