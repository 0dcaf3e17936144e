"""`make audit`: what other people's tools find in the contracts, held against reasoned explanations in triage.yaml."""
