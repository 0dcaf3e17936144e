"""Proofs with halmos: properties of the contracts in Solidity, and what runs them and shows that they can fail."""
