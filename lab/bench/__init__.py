"""Gas of the fund's operations compared with Set Protocol V2 and the bare floor, on one local chain in one run."""
