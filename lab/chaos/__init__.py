"""The keeper under faults: whole months on a local chain with things going wrong, judged from chain and journals."""
