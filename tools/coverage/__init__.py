"""Which lines and branches of the contracts the tests on a chain reach, in the very code that is deployed."""
