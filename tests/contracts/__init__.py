"""Tests of the contracts on the fork."""
