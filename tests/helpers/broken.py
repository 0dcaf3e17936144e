"""Tokens that answer badly: BrokenToken's code put in the place of a token that has been sound so far."""

from __future__ import annotations

from tests.helpers.chain import Chain
from tests.helpers.contracts import Contract

PLAIN, REVERTING, BURNING, SHORT, SILENT, LONG, BEYOND = range(7)
"""How BrokenToken's views answer."""
UNSOUND = {
    "reverts": REVERTING,
    "burns its gas": BURNING,
    "answers short": SHORT,
    "says nothing": SILENT,
    "too much": BEYOND,
}
"""Answers of balanceOf that cannot be relied on, and of decimals() that no list can take."""


def breaks(chain: Chain, token: Contract | str, balance: int, decimals: int = PLAIN) -> bytes:
    """From now on the token answers like this, without moving the time; its code from before, for `mends`. A
    ReferenceToken keeps its balances and moves on as before; of another token only the answers are to be looked at."""
    address = token.address if isinstance(token, Contract) else token
    before = chain.code(address)
    made = chain.artifact("BrokenToken").create(balance, decimals)
    receipt = chain.send(made, chain.account("whoever breaks tokens"), at=chain.now())
    chain.cheats.set_code(address, chain.code(receipt["contractAddress"]))
    return before


def mends(chain: Chain, token: Contract | str, code: bytes) -> None:
    """The token is again what it was."""
    chain.cheats.set_code(token.address if isinstance(token, Contract) else token, code)
