"""The keeper under faults: whole months on a local chain with things going wrong, each judged from chain and journal."""
