"""The share as a price feed."""
