"""What the tests of the contracts share: contracts as Python objects, a chain to move, reverts looked at closely."""
