"""What the fund's operations cost in gas, beside Set Protocol V2 and the bare floor, on one local chain in one run."""
