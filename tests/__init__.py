"""The tests; a package, so that `tests.helpers` is this project's and no other package of that name."""
