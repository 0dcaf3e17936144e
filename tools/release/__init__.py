"""`make release`: everything that a release consists of, in out/release, each file the same for the same commit."""
