"""Measures a month from chain data alone: events, receipts and balances, valued at the month's reference prices."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from eth_abi import decode
from eth_utils import keccak, to_checksum_address
from web3 import Web3
from web3.types import LogReceipt, TxReceipt

from ballast.abi import call_data
from ballast.book import Book
from ballast.rule import packed
from ballast.rule.arithmetic import Cost, Flow, Position, SwapInput, cost_of, usd
from ballast.units import WAD
from lab.localnet.month_file import Month
from lab.localnet.rpc import Rpc, Web3Rpc
from lab.localnet.world import V3Pool, World
from lab.testbed.chain import abi_of

TRANSFER = keccak(text="Transfer(address,address,uint256)")
SWAP = keccak(text="Swap(address,uint256,uint256,uint256,uint256,address)")
V3_SWAP = keccak(text="Swap(address,address,int256,int256,uint160,uint128,int24)")


@dataclass(frozen=True)
class Component:
    """One component of the month: token wei per 1e18 shares before, on target as fixed on chain, and after."""

    symbol: str
    token: str
    decimals: int
    price: int
    before: int
    target: int
    published: int
    after: int

    def held_before(self) -> Position:
        return Position(self.before, self.target, self.price, self.decimals)

    def held_after(self) -> Position:
        return Position(self.after, self.target, self.price, self.decimals)


@dataclass(frozen=True)
class MonthOutcome:
    """A whole month. Money is USD with 18 decimals at reference prices; times are Unix seconds."""

    label: str
    components: tuple[Component, ...]
    batches: int
    transactions: int
    gas: int
    started_at: int
    ended_at: int
    cost: Cost
    nav_before: int
    nav_after: int
    tolerances: tuple[int, ...]
    """Tolerance that applied to each batch, 18 decimals."""


def abis_of(project: Any) -> dict[str, Any]:
    """ABIs that `measure` takes, from Ape's project."""
    return {name: abi_of(project, name) for name in ("IndexToken", "Rebalancer")}


def measure(w3: Web3, abis: Mapping[str, Any], book: Book, month: Month, world: World, keeper: str) -> MonthOutcome:
    """Measures the month that ended last. `abis`: of IndexToken and Rebalancer, by name."""
    rebalancer = w3.eth.contract(Web3.to_checksum_address(book["rebalancer"]), abi=abis["Rebalancer"])
    index = w3.eth.contract(Web3.to_checksum_address(book["index_token"]), abi=abis["IndexToken"])
    started = rebalancer.events.Started().get_logs(from_block=book.deployed_block)[-1]
    first = started["blockNumber"]
    traded = rebalancer.events.Traded().get_logs(from_block=first)
    closed = rebalancer.events.Closed().get_logs(from_block=first)[-1]
    last = closed["blockNumber"]

    prices, decimals = world.prices, world.decimals
    logs = [w3.eth.get_transaction_receipt(event["transactionHash"])["logs"] for event in traded]
    flows = [flow_of(each, index.address, world_swaps(each, world)) for each in logs]
    rpc = Web3Rpc(w3)
    balances_before = balances_at(rpc, prices, index.address, first - 1)
    balances_after = balances_at(rpc, prices, index.address, last)
    before = supply_at(rpc, index.address, first - 1)
    held = {token: balance * WAD // before for token, balance in balances_before.items()}
    receipts = receipts_of(w3, keeper, book.deployed_block, last)
    return MonthOutcome(
        label=month.label,
        components=_components(
            month, _targets(w3, index, started), held, balances_after, supply_at(rpc, index.address, last)
        ),
        batches=len(traded),
        transactions=len(receipts),
        gas=sum(receipt["gasUsed"] for receipt in receipts),
        started_at=w3.eth.get_block(first)["timestamp"],
        ended_at=w3.eth.get_block(last)["timestamp"],
        cost=cost_of(flows, prices, decimals),
        nav_before=_nav(balances_before, prices, decimals),
        nav_after=_nav(balances_after, prices, decimals),
        tolerances=tuple(event["args"]["result"]["tolerance"] for event in traded),
    )


def receipts_of(w3: Web3, sender: str, first: int, last: int) -> list[TxReceipt]:
    """Receipts of all transactions that an account sent in these blocks."""
    found = []
    for number in range(first, last + 1):
        for transaction in w3.eth.get_block(number, full_transactions=True)["transactions"]:
            if isinstance(transaction, Mapping) and transaction["from"] == sender:
                found.append(w3.eth.get_transaction_receipt(transaction["hash"]))
    return found


def _targets(w3: Web3, index: Any, started: Any) -> dict[str, int]:
    """Target units that start fixed, by token."""
    code = bytes(w3.eth.get_code(Web3.to_checksum_address(started["args"]["targets"])))
    listed = index.functions.components().call(block_identifier=started["blockNumber"])
    return target_units(code, [entry[0] for entry in listed])


def target_units(code: bytes, tokens: Sequence[str]) -> dict[str, int]:
    """Target units, token wei per 1e18 shares, by token of the list, from packed targets stored as contract code after
    one byte."""
    return {token: target.unit for token, target in zip(tokens, packed.targets(code[1:]), strict=True)}


def _components(
    month: Month, targets: Mapping[str, int], held: Mapping[str, int], balances: Mapping[str, int], supply: int
) -> tuple[Component, ...]:
    """`targets` and `held` (before start): units by token. `balances` and `supply`: at the end."""
    found = []
    for published in month.components:
        found.append(
            Component(
                symbol=published.symbol,
                token=published.address,
                decimals=published.decimals,
                price=published.price_usd,
                before=held.get(published.address, 0),
                target=targets.get(published.address, 0),
                published=published.published_target_unit,
                after=balances.get(published.address, 0) * WAD // supply,
            )
        )
    return tuple(found)


def balances_at(rpc: Rpc, tokens: Iterable[str], holder: str, block: int) -> dict[str, int]:
    """Token wei of each token that the holder has at the end of a block."""
    listed, data = list(tokens), call_data("balanceOf(address)", holder)
    answers = rpc.batch([("eth_call", ({"to": token, "data": data}, hex(block))) for token in listed])
    return {token: int(answer, 16) for token, answer in zip(listed, answers, strict=True)}


def supply_at(rpc: Rpc, index: str, block: int) -> int:
    """Shares at the end of a block, those of the fee not yet minted included; 18 decimals."""
    return int(rpc.request("eth_call", {"to": index, "data": call_data("totalSupply()")}, hex(block)), 16)


def _nav(balances: Mapping[str, int], prices: Mapping[str, int], decimals: Mapping[str, int]) -> int:
    return sum(usd(balance, prices[token], decimals[token]) for token, balance in balances.items())


def flow_of(logs: Sequence[LogReceipt], holder: str, swaps: tuple[SwapInput, ...] = ()) -> Flow:
    """What transactions with these logs moved out of and into the holder, net per token. `swaps`: made on the way."""
    net = net_transfers(logs, holder)
    return Flow(
        sold={token: -amount for token, amount in net.items() if amount < 0},
        bought={token: amount for token, amount in net.items() if amount > 0},
        swaps=swaps,
    )


def world_swaps(logs: Sequence[LogReceipt], world: World) -> tuple[SwapInput, ...]:
    """The swaps in the world's pools."""
    return *swaps_in(logs, pair_sides(world)), *v3_swaps_in(logs, world.v3_pools)


def net_transfers(logs: Sequence[LogReceipt], holder: str) -> dict[str, int]:
    """Net change of the holder's balance of each token by the logs' transfers, in token wei."""
    net: dict[str, int] = {}
    for log in logs:
        if log["topics"][0] != TRANSFER or len(log["topics"]) != 3:
            continue
        (amount,) = decode(["uint256"], log["data"])
        for topic, sign in ((log["topics"][1], -1), (log["topics"][2], 1)):
            if to_checksum_address(topic[-20:]) == holder:
                net[log["address"]] = net.get(log["address"], 0) + sign * amount
    return net


def swaps_in(logs: Sequence[LogReceipt], sides: Mapping[str, tuple[str, str]]) -> tuple[SwapInput, ...]:
    """The swaps in known pairs. `sides`: token0 and token1 of each pair."""
    found = []
    for log in logs:
        pair = sides.get(log["address"])
        if log["topics"][0] != SWAP or pair is None:
            continue
        amounts = decode(["uint256", "uint256", "uint256", "uint256"], log["data"])
        found += [SwapInput(token, amount) for token, amount in zip(pair, amounts[:2], strict=True) if amount]
    return tuple(found)


def v3_swaps_in(logs: Sequence[LogReceipt], pools: Iterable[V3Pool]) -> tuple[SwapInput, ...]:
    """The swaps in known pools of Uniswap V3."""
    by_address = {pool.pool: pool for pool in pools}
    found = []
    for log in logs:
        pool = by_address.get(log["address"])
        if log["topics"][0] != V3_SWAP or pool is None:
            continue
        # The pool received the positive amount and paid the negative one.
        amounts = decode(["int256", "int256", "uint160", "uint128", "int24"], log["data"])
        found += [
            SwapInput(token, amount, pool.fee)
            for token, amount in zip(pool.tokens, amounts[:2], strict=True)
            if amount > 0
        ]
    return tuple(found)


def pair_sides(world: World) -> dict[str, tuple[str, str]]:
    """token0 and token1 of each of the world's pairs."""
    sides = {}
    for token in world.tokens:
        low, high = sorted((token.address, world.weth), key=lambda address: int(address, 16))
        for pool in token.pools:
            sides[pool.pair] = (low, high)
    return sides
