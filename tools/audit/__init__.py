"""`make audit`: what third-party tools find in the contracts, checked against the explanations in triage.yaml."""
