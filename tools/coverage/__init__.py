"""Which lines and branches of the contracts the tests on a chain reach, in code compiled as for deployment."""
