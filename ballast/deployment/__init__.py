"""Deploys a fund: which contracts, in what order, and how a stopped deployment goes on."""
