"""Quotes a zap off chain: `quote` is the arithmetic, `read` reads its inputs from a node."""
