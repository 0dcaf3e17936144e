"""A local Ethereum mainnet for one month of an index fund: real exchanges at their real addresses.

Modules: `month` and `reserves` read the data, `anvil` runs the chain, `deployments` and `build` put the exchanges,
tokens and feeds on it, `market` moves it, `session` hands a fork of it to Ape. `python -m lab.localnet up` runs one.
"""
