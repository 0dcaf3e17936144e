"""The Chainlink oracle."""
