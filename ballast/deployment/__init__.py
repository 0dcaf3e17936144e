"""Deploys a fund: which contracts, in what order, and how to resume an interrupted deployment."""
