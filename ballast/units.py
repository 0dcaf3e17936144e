"""Units of money and time, as plain integers."""

from __future__ import annotations

WAD = 10**18
"""One, with 18 decimals: of USD, of a weight or a fraction, of a share or a token of 18 decimals."""

GWEI = 10**9
"""Wei in a gwei, the unit of gas prices."""

ETHER = 10**18
"""Wei in an ether."""

FEED_STEP = 10**10
"""USD with 18 decimals in the smallest step of a feed with 8 decimals."""

HOUR_S = 3_600
"""Seconds in an hour."""

DAY_S = 86_400
"""Seconds in a day."""

BLOCK_S = 12
"""Seconds between two blocks of mainnet, at least."""

MAX_TX_GAS = 2**24
"""Highest gas limit of a transaction (EIP-7825)."""
