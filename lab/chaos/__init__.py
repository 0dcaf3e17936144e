"""The keeper under faults: whole months on a local chain with injected faults, judged from chain and journals."""
