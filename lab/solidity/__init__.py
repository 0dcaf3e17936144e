"""The tests of the contracts in Solidity, `tests/solidity`: what each folder tests, and how forge runs them."""
