"""`make release`: all files of a release, in out/release, each the same for the same commit."""
