"""A sandbox as a user makes it, on a local node that is dressed as Sepolia: measured, stopped, and written up."""
