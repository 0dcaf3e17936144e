"""Reads the inputs of a zap's quote, all in one block."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from web3 import Web3

from ballast.abi import call_data
from ballast.book import Book
from ballast.networks.exchanges import V3_FEES, Exchanges, exchanges_of, v2_pool_address, v3_pool_address
from keeper.errors import ChainError
from keeper.look import contracts
from keeper.look.lens import state_of
from keeper.look.retry import ask, ask_all
from keeper.look.v3_reader import SPAN
from keeper.pools.market import ascending
from keeper.pools.venues import Pool
from keeper.pools.venues.v2 import V2Pool
from keeper.pools.venues.v3 import pool_of
from keeper.zap.quote import ETH, Leg, Pools, Venue

ZAP_VENUES = (("uniswap", Venue.UNISWAP_V2), ("sushiswap", Venue.SUSHISWAP_V2))

_LENS = "0x" + "1e" * 20
"""Address at which a state override places the lens of V3 pools, for a fund that has none."""


def read_pools(w3: Web3, book: Book, more: str, lens_code: str) -> Pools:
    """The fund and every pool that its zap could use for its components and for the token `more`, in the latest block.

    `lens_code`: runtime code (0x hex) of `V3Lens`, for funds whose book has none; the node must then support state
    overrides in `eth_call`. Raises ChainError.
    """
    block = hex(ask(lambda: w3.eth.block_number, "latest block"))
    tokens = [token for token in _tokens(w3, book, block, more) if token not in (book.weth, ETH)]
    exchanges = exchanges_of(book.chain_id, book.uniswap_v2_factory)
    if exchanges is None:
        raise ChainError(f"zap: no exchanges are known on chain {book.chain_id}, and the address book names none")
    pairs = [(token, *row) for token in tokens for row in _pairs(exchanges, token, book.weth)]
    tiers = [[v3_pool_address(exchanges.uniswap_v3, token, book.weth, fee) for fee in V3_FEES] for token in tokens]
    lens, override = (book["v3_lens"], []) if "v3_lens" in book.contracts else (_LENS, [{_LENS: {"code": lens_code}}])
    oracle = book.contracts.get("first_oracle", book["oracle"])
    fund = contracts.call_data("FundLens", "fundAndPools", book["rebalancer"], [pair for _, _, pair in pairs])
    price, *answers = ask_all(
        w3,
        [
            ("eth_gasPrice", []),
            ("eth_call", [_call(book["lens"], fund), block]),
            ("eth_call", [_call(oracle, call_data("price(address)", ETH)), block]),
            *(
                ("eth_call", [_call(lens, contracts.call_data("V3Lens", "states", pools, SPAN)), block, *override])
                for pools in tiers
            ),
        ],
        f"fund and pools in block {int(block, 16)}",
    )
    try:
        raw, reserves = contracts.returned("FundLens", "fundAndPools", answers[0])
        v3 = [contracts.returned("V3Lens", "states", answer)[0] for answer in answers[2:]]
        eth_price = int(answers[1], 16)
    except ValueError as error:
        raise ChainError(f"fund and pools: {error}") from None
    found: dict[str, list[tuple[Leg, Pool]]] = {token: [] for token in tokens}
    for (token, (name, venue), pair), held in zip(pairs, reserves, strict=True):
        if all(held):
            pool = V2Pool(name, pair, ascending(token, book.weth), (held[0], held[1]))
            found[token].append((Leg(venue), pool))
    for token, addresses, states in zip(tokens, tiers, v3, strict=True):
        found[token] += _v3(addresses, states)
    by_token = {token: tuple(pools) for token, pools in found.items()}
    return Pools(state_of(raw), book.weth, by_token, eth_price, int(price, 16))


def _tokens(w3: Web3, book: Book, block: str, more: str) -> list[str]:
    """The components in that block and `more`, without duplicates."""
    data = contracts.call_data("IndexToken", "components")
    (answer,) = ask_all(w3, [("eth_call", [_call(book["index_token"], data), block])], "components")
    try:
        (listed,) = contracts.returned("IndexToken", "components", answer)
    except ValueError as error:
        raise ChainError(f"components: {error}") from None
    return [*dict.fromkeys([component.token for component in listed] + [more])]


def _pairs(exchanges: Exchanges, token: str, weth: str) -> list[tuple[tuple[str, Venue], str]]:
    v2 = (
        (exchanges.uniswap_v2, exchanges.uniswap_v2_code),
        (exchanges.sushiswap_v2, exchanges.sushiswap_v2_code),
    )
    return [(venue, v2_pool_address(*factory, token, weth)) for venue, factory in zip(ZAP_VENUES, v2, strict=True)]


def _v3(addresses: Sequence[str], states: Sequence[Any]) -> list[tuple[Leg, Pool]]:
    """The pools that exist and have liquidity on both sides."""
    pools = (pool_of(address, state) for address, state in zip(addresses, states, strict=True))
    return [(Leg(Venue.UNISWAP_V3, pool.fee), pool) for pool in pools if pool is not None]


def _call(to: str, data: str) -> dict[str, str]:
    return {"to": Web3.to_checksum_address(to), "data": data}
