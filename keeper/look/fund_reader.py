"""Reads the fund and its pools in one round trip, pinned to a block's hash."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from web3 import Web3

from ballast.book import Book
from ballast.networks.presets import network_of
from ballast.units import GWEI
from keeper.errors import ChainError, MismatchError, NotReadyError, SettingsError
from keeper.look import contracts
from keeper.look.book_file import BookFile
from keeper.look.history import CHUNK, History
from keeper.look.lens import state_of
from keeper.look.retry import Head, ask, ask_all
from keeper.look.rpc import EndpointPool, NoEndpointError, connect, refusals
from keeper.look.rpc.endpoint import Question
from keeper.look.rpc.health import LOOK
from keeper.look.rpc.pool import in_block
from keeper.look.v3_reader import V3Reader
from keeper.pools.market import Market, ascending, market_of
from keeper.pools.venues import Pool
from keeper.pools.venues.v2 import V2Pool
from keeper.pools.venues.v3 import V3_VENUE
from keeper.settings import Secrets, Settings
from keeper.state import Action, FundState, PoolState

__all__ = ["CHUNK", "FundReader", "Head", "ask", "connect", "connect_to"]

V2_VENUES = ("uniswap", "sushiswap")
POOL_FEE_BPS = 30
"""The fee that the filler assumes for these venues; the reader skips pools with another fee."""

TIP_BLOCKS = 10
DEFAULT_TIP = GWEI
MIN_TIP = GWEI // 10
"""Wei per gas. A derived tip is at least this: nodes may refuse a zero tip, and a zero tip cannot grow by 9/8."""


class FundReader:
    """One fund on one chain, read-only. `file`: the book's file, to follow changes of its pools; None: fixed pools."""

    def __init__(self, w3: Web3, book: Book, file: BookFile | None = None) -> None:
        self.w3 = w3
        self._file = file
        self._take(book)
        self.history = History(w3, book)

    def _take(self, book: Book) -> None:
        """Uses a book and its pools from now on. Raises SettingsError."""
        v3 = v3_reader_of(book)
        self.book = book
        self._pools = [
            (token, pool.other, pool.venue, Web3.to_checksum_address(pool.pair))
            for token, pool in book.pools(*V2_VENUES)
            if pool.fee_bps == POOL_FEE_BPS
        ]
        pairs = [pair for *_, pair in self._pools]
        data = contracts.call_data("FundLens", "fundAndPools", book["rebalancer"], pairs)
        self._request = {"to": Web3.to_checksum_address(book["lens"]), "data": data}
        self._v3 = v3

    def check(self, chain_id: int | None) -> None:
        """Raises MismatchError unless this is the book's chain and has its contracts, NotReadyError if the node may not
        have synced to them yet, ChainError if no node answers. `chain_id`: the configured one, None if not given."""
        found = self._chain_id()
        if chain_id is not None and found != chain_id:
            raise MismatchError(f"BALLAST_CHAIN_ID: is {chain_id}, the node is on chain {found}; connect to {chain_id}")
        if found != self.book.chain_id:
            raise MismatchError(
                f"BALLAST_RPC_URL: the node is on chain {found}, the fund {self.book.fund!r} of the address book on "
                f"chain {self.book.chain_id}; connect to that chain or name another BALLAST_BOOK"
            )
        lenses = ("lens", "v3_lens") if self._v3 is not None else ("lens",)
        for name in ("index_token", "rebalancer", *lenses, "filler"):
            address = Web3.to_checksum_address(self.book[name])
            if not ask(lambda a=address: self.w3.eth.get_code(a), name):  # type: ignore[misc]
                self._require_synced()
                raise MismatchError(
                    f"BALLAST_BOOK: {name} is {address}, where chain {found} has no contract; deploy the fund there "
                    "or name another book"
                )

    def _require_synced(self) -> None:
        """Raises NotReadyError if the node still syncs, or has not reached the block of the fund's deployment."""
        number = ask(lambda: self.w3.eth.block_number, "latest block")
        if number < self.book.deployed_block or ask(lambda: self.w3.eth.syncing, "syncing"):
            raise NotReadyError(
                f"BALLAST_RPC_URL: the node is still syncing, at block {number}; the fund was deployed in block "
                f"{self.book.deployed_block}"
            )

    def _chain_id(self) -> int:
        """The chain's id, even if every endpoint is put aside for a wrong one."""
        try:
            return ask(lambda: self.w3.eth.chain_id, "BALLAST_RPC_URL")
        except ChainError as error:
            if isinstance(error.__cause__, NoEndpointError) and error.__cause__.chain_id is not None:
                return error.__cause__.chain_id
            raise

    def head(self) -> Head:
        """The latest block. Raises ChainError, also if the node has changed to another chain."""
        chain_id, block = ask_all(self.w3, list(LOOK), "latest block")
        if int(chain_id, 16) != self.book.chain_id:
            raise ChainError(f"latest block: the node is on chain {int(chain_id, 16)}, expected {self.book.chain_id}")
        return Head(
            int(block["number"], 16),
            block["hash"],
            int(block["timestamp"], 16),
            int(block.get("baseFeePerGas", "0x0"), 16),
        )

    def tip(self) -> int:
        """The priority fee that the nodes propose, wei per gas. If none answers eth_maxPriorityFeePerGas: derived from
        recent blocks, else from the gas price, else `DEFAULT_TIP`. Raises ChainError."""
        what = "priority fee"
        proposals: tuple[tuple[Question, Callable[[Any], int]], ...] = (
            (("eth_maxPriorityFeePerGas", []), lambda found: int(found, 16)),
            (("eth_feeHistory", [hex(TIP_BLOCKS), "latest", [50]]), _paid),
            (("eth_gasPrice", []), lambda found: max(MIN_TIP, int(found, 16) - self.head().base_fee)),
        )
        for question, tip_of in proposals:
            try:
                return tip_of(ask_all(self.w3, [question], what)[0])
            except ChainError as error:
                if not (isinstance(error.__cause__, NoEndpointError) and error.__cause__.answered):
                    raise
        return DEFAULT_TIP

    def read(self, block: Head | int) -> tuple[FundState, Market]:
        """Fund and pools in a block, in one round trip. Raises ChainError.

        Reads a head by its hash (EIP-1898), which fails once the block has left the chain; a number means whatever
        block has it. If something is due in a head, reads again with as many endpoints in agreement as the settings
        require.
        """
        if self._file is not None and (renewed := self._file.renewed(self.book)) is not None:
            self._take(renewed)
        found = self._read(block, agreed=False)
        if isinstance(block, Head) and found[0].action is not Action.NONE and self._several_must_agree():
            return self._read(block, agreed=True)
        return found

    def _several_must_agree(self) -> bool:
        provider: Any = self.w3.provider
        return isinstance(provider, EndpointPool) and provider.agree > 1

    def _read(self, block: Head | int, *, agreed: bool) -> tuple[FundState, Market]:
        named = hex(block) if isinstance(block, int) else in_block(block.hash)
        number = block if isinstance(block, int) else block.number
        questions: list[Question] = [("eth_call", [self._request, named])]
        if self._v3 is not None:
            questions.append(("eth_call", [self._v3.request, named]))
        found: dict[tuple[str, ...], tuple[FundState, Market]] = {}

        def fits(results: Sequence[str]) -> None:
            found[tuple(results)] = self._decoded(results, number)

        what = f"fund in block {number}"
        return found[tuple(ask_all(self.w3, questions, what, agreed=agreed, fits=fits))]

    def _decoded(self, results: Sequence[str], number: int) -> tuple[FundState, Market]:
        """Fund and pools from the lenses' answers. Raises ValueError if the data is not theirs."""
        fund, reserves = contracts.returned("FundLens", "fundAndPools", results[0])
        # The node's block number: on Arbitrum the contracts' `block.number` is Ethereum's.
        state = replace(state_of(fund), block=number)
        pools = self._pools_of(reserves)
        if self._v3 is not None:
            pools += self._v3.pools(results[1], number)
        return state, market_of(self.book.weth, pools, state)

    def _pools_of(self, reserves: Any) -> list[PoolState | Pool]:
        """The pools of Uniswap V2 and its forks."""
        pools: list[PoolState | Pool] = []
        for (token, other, venue, pair), (first, second) in zip(self._pools, reserves, strict=True):
            if other is not None:
                if first and second:
                    pools.append(V2Pool(venue, pair, ascending(token, other), (first, second)))
                continue
            tokens, weth = (first, second) if int(token, 16) < int(self.book.weth, 16) else (second, first)
            pools.append(PoolState(venue, pair, token, tokens, weth))
        return pools


def _paid(history: Any) -> int:
    """The tip that the median transaction of the median block paid, at least `MIN_TIP`."""
    tips = sorted(int(tip, 16) for (tip,) in history["reward"])
    return max(MIN_TIP, tips[len(tips) // 2])


def v3_reader_of(book: Book) -> V3Reader | None:
    """Reader of the book's Uniswap V3 pools; None if it has none. Raises SettingsError if the book lacks their lens."""
    pools = [pool.pair for _, pool in book.pools(V3_VENUE)]
    if not pools:
        return None
    if "v3_lens" not in book.contracts:
        raise SettingsError(f"BALLAST_BOOK: names {len(pools)} pools of {V3_VENUE} but no v3_lens; deploy again")
    return V3Reader(book["v3_lens"], pools)


def connect_to(settings: Settings, secrets: Secrets, chain_id: int | None) -> Web3:
    """The connection that the settings describe, to endpoints of this chain (None: any). Raises SettingsError."""
    refusals.use(settings.refusals)
    return connect(
        secrets.rpc_url.get_secret_value(),
        chain_id=chain_id,
        max_lag=settings.rpc_max_lag if chain_id is None else network_of(chain_id).blocks(settings.rpc_max_lag),
        max_age_s=settings.max_head_age_s,
        agree=settings.rpc_agree,
        check_s=settings.rpc_check_seconds,
        timeout_s=settings.rpc_timeout_seconds,
    )
