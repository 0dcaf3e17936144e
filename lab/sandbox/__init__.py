"""A sandbox made as a user makes it, on a local node set up like Sepolia: measured, interrupted, and documented."""
