"""Stateful fuzzing of the fund with forge: the harness in Solidity, and code that runs it and checks that it can
fail."""
