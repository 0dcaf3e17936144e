"""Stateful fuzzing of the fund with forge: the harness in Solidity, and what runs it and checks that it can fail."""
