"""The keeper: carries a fund through its month. It asks the chain what is due and trades what is left to trade."""
