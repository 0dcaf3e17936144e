"""The market on a chain built from a `World`: prices move, feeds are posted, stale pools are arbitraged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from eth_abi import decode
from eth_utils import to_checksum_address
from web3 import Web3

from ballast.abi import call_data, topic
from ballast.units import FEED_STEP, WAD
from lab.localnet.errors import LocalnetError
from lab.localnet.rpc import Rpc, Web3Rpc, read_many, send, unpack
from lab.localnet.v3 import sqrt_price_of
from lab.localnet.world import Token, V3Pool, World, WorldPool

REST_S = 600
"""Seconds of chain time after which an untouched pool is brought back to the reference price."""

V3_VENUE = "uniswap-v3"

_POOLS = "(address,address,uint256,uint256)[]"
_V3_POOLS = "(address,uint160)[]"
_PREVIEW = f"preview(address,{_POOLS},{_V3_POOLS},uint256)"
_RESTORE = f"restore(address,{_POOLS},{_V3_POOLS},uint256)"
_MOVES = "(address,address,uint256,uint256)[]"
_RESTORED = topic("Restored(address,address,uint256,uint256)")
_SLOT0 = ["uint160", "int24", "uint16", "uint16", "uint16", "uint8", "bool"]
_GAS = 25_000_000
_POOLS_AT_ONCE = 60
_V3_POOLS_AT_ONCE = 20


@dataclass(frozen=True)
class Restoration:
    """One swap of the arbitrageur, in token wei."""

    symbol: str
    venue: str
    pair: str
    token_in: str
    amount_in: int
    amount_out: int


@dataclass(frozen=True)
class PoolState:
    """A pool's reserves now, in wei, and its reference mid price `numerator / denominator` WETH wei per token wei."""

    symbol: str
    venue: str
    pair: str
    token_reserve: int
    weth_reserve: int
    last_touched: int
    """Block time of the last mint, burn, swap or sync, Unix seconds modulo 2^32."""
    numerator: int
    denominator: int

    @property
    def off_by(self) -> float:
        """Mid price over reference price, minus one."""
        return self.weth_reserve * self.denominator / (self.token_reserve * self.numerator) - 1


@dataclass(frozen=True)
class V3PoolState:
    """A V3 pool's current state. Prices are square roots of token1 wei for one token0 wei, x 2^96."""

    pool: V3Pool
    sqrt_price: int
    reference: int
    tick: int
    liquidity: int
    """Of the positions in range."""
    last_touched: int
    """Block time of the latest observation (the last swap that changed the tick), Unix seconds modulo 2^32."""

    @property
    def off_by(self) -> float:
        """Mid price over reference price, minus one."""
        return (self.sqrt_price / self.reference) ** 2 - 1


def reserves_of(rpc: Rpc, weth: str, pairs: Sequence[tuple[str, str]]) -> list[tuple[int, int, int]]:
    """Reserves of pairs: token wei, WETH wei, and the time they were last touched. `pairs`: token and pair."""
    returns = ["uint112", "uint112", "uint32"]
    found = read_many(rpc, [(pair, "getReserves()", ()) for _, pair in pairs], returns)
    return [
        (first, second, touched) if int(token, 16) < int(weth, 16) else (second, first, touched)
        for (token, _), (first, second, touched) in zip(pairs, found, strict=True)
    ]


class Market:
    """Reference prices and their effect on the chain. Uses an account of its own."""

    def __init__(self, w3: Web3 | Rpc, world: World) -> None:
        self._rpc: Rpc = Web3Rpc(w3) if isinstance(w3, Web3) else w3
        self.world = world
        self.prices = world.prices
        """USD for one whole token, 18 decimals, by checksummed address; WETH included."""
        self._pools: list[tuple[Token, WorldPool]] = [(token, pool) for token in world.tokens for pool in token.pools]
        self._named = {pool.pair: (token.symbol, pool.venue) for token, pool in self._pools}
        symbols = {token.address: token.symbol for token in world.tokens} | {world.weth: "WETH"}
        for v3 in world.v3_pools:
            ours = [symbols[token] for token in v3.tokens if token != world.weth]
            self._named[v3.pool] = "/".join(ours), V3_VENUE
        self._decimals = world.decimals
        self._rpc.request("anvil_impersonateAccount", world.trader)

    def set_price(self, address: str, usd: int) -> None:
        """Change a reference price (18 decimals). Feeds and pools follow when they are posted and arbitraged."""
        key = to_checksum_address(address)
        if key not in self.prices:
            raise LocalnetError(f"price of {address}: not in the world of {self.world.month}")
        if usd < FEED_STEP:
            raise LocalnetError(f"price of {address}: {usd}, expected at least {FEED_STEP} (1e-8 USD, 18 decimals)")
        self.prices[key] = usd

    def post_feeds(self, only: Sequence[str] | None = None) -> None:
        """Post every feed's answer at its reference price, dated with the block it is posted in: one transaction.

        `only` names the tokens (addresses) to post; the others' feeds age.
        """
        wanted = None if only is None else {to_checksum_address(address) for address in only}
        feeds = [(token.address, token.feed) for token in self.world.tokens]
        feeds.append((self.world.weth, self.world.eth_feed))
        posts = [
            (feed, self.prices[address] // FEED_STEP) for address, feed in feeds if wanted is None or address in wanted
        ]
        self._send(call_data("post((address,int256)[])", posts))

    def arbitrage(self, rest_s: int = REST_S) -> tuple[Restoration, ...]:
        """Bring every pool that has rested back to its reference mid price by real swaps; returns the swaps.

        Rested: nobody but the arbitrageur has touched it for `rest_s` seconds before the latest block. The swap is
        exact up to the tokens' smallest unit (about 1e-9). Nothing is sent when there is nothing to do.
        """
        done: list[Restoration] = []
        rows = [self._row(token, pool) for token, pool in self._pools]
        v3_rows = [(pool.pool, self.reference(pool)) for pool in self.world.v3_pools]
        while rows or v3_rows:
            now, v3_now = rows[:_POOLS_AT_ONCE], v3_rows[:_V3_POOLS_AT_ONCE]
            rows, v3_rows = rows[_POOLS_AT_ONCE:], v3_rows[_V3_POOLS_AT_ONCE:]
            wanted = [int(move[1], 16) != 0 for move in self._preview(now, v3_now, rest_s)]
            due = [row for row, moves in zip(now, wanted, strict=False) if moves]
            v3_due = [row for row, moves in zip(v3_now, wanted[len(now) :], strict=True) if moves]
            if due or v3_due:
                done.extend(self._restore(due, v3_due, rest_s))
        return tuple(done)

    def reference(self, pool: V3Pool) -> int:
        """A V3 pool's reference mid price: the square root of token1 wei for one token0 wei, x 2^96, rounded down."""
        first, second = ((self.prices[token], self._decimals[token]) for token in pool.tokens)
        return sqrt_price_of(first, second)

    def v3_pools(self) -> tuple[V3PoolState, ...]:
        """State of every V3 pool at the latest block."""
        addresses = [pool.pool for pool in self.world.v3_pools]
        slots = read_many(self._rpc, [(address, "slot0()", ()) for address in addresses], _SLOT0)
        liquidity = read_many(self._rpc, [(address, "liquidity()", ()) for address in addresses], ["uint128"])
        latest = [
            (address, "observations(uint256)", (slot[2],)) for address, slot in zip(addresses, slots, strict=True)
        ]
        observed = read_many(self._rpc, latest, ["uint32", "int56", "uint160", "bool"])
        rows = zip(self.world.v3_pools, slots, liquidity, observed, strict=True)
        return tuple(
            V3PoolState(pool, slot[0], self.reference(pool), slot[1], depth, seen[0])
            for pool, slot, (depth,), seen in rows
        )

    def pools(self) -> tuple[PoolState, ...]:
        """State of every pool at the latest block."""
        reserves = reserves_of(self._rpc, self.world.weth, [(token.address, pool.pair) for token, pool in self._pools])
        states = []
        for (token, pool), (tokens, weth, touched) in zip(self._pools, reserves, strict=True):
            _, _, numerator, denominator = self._row(token, pool)
            states.append(PoolState(token.symbol, pool.venue, pool.pair, tokens, weth, touched, numerator, denominator))
        return tuple(states)

    def _row(self, token: Token, pool: WorldPool) -> tuple[str, str, int, int]:
        """The pool as the contract's argument, with WETH wei for one token wei as a fraction."""
        numerator = self.prices[token.address] * WAD
        denominator = self.prices[self.world.weth] * 10**token.decimals
        return pool.pair, token.address, numerator, denominator

    def _preview(
        self, rows: list[tuple[str, str, int, int]], v3_rows: list[tuple[str, int]], rest_s: int
    ) -> list[tuple[str, str, int, int]]:
        data = call_data(_PREVIEW, self.world.weth, rows, v3_rows, rest_s)
        answer = self._rpc.request("eth_call", {"to": self.world.market, "data": data, "gas": hex(_GAS)}, "latest")
        (moves,) = unpack([_MOVES], answer, self.world.market, _PREVIEW)
        return list(moves)

    def _restore(
        self, rows: list[tuple[str, str, int, int]], v3_rows: list[tuple[str, int]], rest_s: int
    ) -> list[Restoration]:
        receipt = self._send(call_data(_RESTORE, self.world.weth, rows, v3_rows, rest_s))
        done = []
        for log in receipt["logs"]:
            if log["topics"][0] != _RESTORED:
                continue
            pair = to_checksum_address(log["topics"][1][-40:])
            amount_in, amount_out = decode(["uint256", "uint256"], bytes.fromhex(log["data"][2:]))
            symbol, venue = self._named[pair]
            token_in = to_checksum_address(log["topics"][2][-40:])
            done.append(Restoration(symbol, venue, pair, token_in, amount_in, amount_out))
        return done

    def _send(self, data: str) -> dict[str, Any]:
        return send(self._rpc, self.world.trader, self.world.market, data, gas=_GAS)
