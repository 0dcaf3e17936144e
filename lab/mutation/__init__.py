"""Mutation testing: how many small changes of the contracts the tests notice."""
