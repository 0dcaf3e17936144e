"""Tokens that answer badly: BrokenToken's code in place of that of a token that was sound before."""

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
"""Answers of balanceOf that cannot be relied on, and of decimals() that no list accepts."""


def breaks(chain: Chain, token: Contract | str, balance: int, decimals: int = PLAIN) -> bytes:
    """Makes the token answer like this from now on, without moving the time; its previous code, for `mends`. A
    ReferenceToken keeps its balances and transfers as before; of another token only the answers make sense."""
    address = token.address if isinstance(token, Contract) else token
    before = chain.code(address)
    made = chain.artifact("BrokenToken").create(balance, decimals)
    receipt = chain.send(made, chain.account("whoever breaks tokens"), at=chain.now())
    chain.cheats.set_code(address, chain.code(receipt["contractAddress"]))
    return before


def mends(chain: Chain, token: Contract | str, code: bytes) -> None:
    """Gives the token its previous code back."""
    chain.cheats.set_code(token.address if isinstance(token, Contract) else token, code)
