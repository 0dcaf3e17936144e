"""What the tests of the contracts share: contracts as Python objects, a chain whose time they set, exact checks of
reverts."""
