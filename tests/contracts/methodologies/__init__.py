"""Tests of the index rules, of where supplies come from, and of pegged prices."""
