"""What changes around a year's fund from month to month on the connected fork: prices, pools, the owner's
operations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from eth_abi import decode
from web3 import Web3

from ballast.abi import call_data, encode_call
from ballast.book import Book
from ballast.deployment.deploy import deploy_fund
from ballast.fund_file import FundConfig
from ballast.parts import LimitsConfig
from ballast.rule import packed
from ballast.rule.arithmetic import first_day, midnight
from ballast.rule.calendar import MONTH, QUARTER
from ballast.rule.methodology import Cap, Decision, Rule
from ballast.timetable import TimetableConfig
from ballast.units import BLOCK_S, HOUR_S, WAD
from lab.localnet.anvil import Cheats
from lab.localnet.market import Market, reserves_of
from lab.localnet.rpc import HttpRpc, read, send
from lab.localnet.world import World
from lab.replay.measure import balances_at, supply_at, target_units
from lab.replay.year_data import Snapshot, Year, weth_depth
from lab.replay.year_index import state_of
from lab.testbed.clock import Clock
from lab.testbed.forked import ForkedChain
from lab.testbed.funding import deal_seed, month_config

TOP_N = 10
CAP_WEIGHT = 25 * WAD // 100
FLOOR_WEIGHT = 5 * WAD // 1000
ENTRY_WEIGHT = 2 * WAD // 100
MAX_SUPPLY_JUMP = 10 * WAD
"""Ten times last month's supply, so that the CSV's supplies are used as they are."""
SETTING_UP_S = HOUR_S
"""Chain time reserved before each period: setting prices and pools and the owner's operation take less."""
_GAS = 2_000_000
_HELD = 1_000
"""LP wei that a pair locks for itself."""


@dataclass(frozen=True)
class Cadence:
    """When the year's fund is rebalanced: every 1 or 3 calendar months, unless within the band (18 decimals)."""

    months: int = MONTH
    band: int = 0

    @property
    def name(self) -> str:
        every = "monthly" if self.months == MONTH else "quarterly"
        return f"{every}, band {self.band * 100 / WAD:g} %" if self.band else every


@dataclass
class YearFund:
    """The fund and what changes around it."""

    on: ForkedChain
    year: Year
    market: Market
    clock: Clock
    config: FundConfig
    book: Book
    index: Any
    rebalancer: Any
    rule: Rule
    cadence: Cadence

    @property
    def rpc(self) -> HttpRpc:
        return self.on.rpc

    @property
    def world(self) -> World:
        return self.on.world

    @property
    def notice(self) -> int:
        return self.config.timetable.notice


def year_config(on: ForkedChain, year: Year, streaming_fee: int, cadence: Cadence, jump: int) -> FundConfig:
    """The fund of the year's rule; the tokens without a row in the first month are candidates that leave."""
    # Quarters are those of the year's first month: the one before it began three months earlier.
    begins = midnight(first_day(year.snapshots[0].period - QUARTER)) if cadence.months == QUARTER else 0
    plain = month_config(
        on.month,
        on.world,
        streaming_fee=streaming_fee,
        limits=LimitsConfig(band=cadence.band),
        timetable=TimetableConfig(period=cadence.months, begins=begins),
    )
    rule = plain.methodology.model_copy(
        update={
            "floor_weight": FLOOR_WEIGHT,
            "entry_weight": ENTRY_WEIGHT,
            "top_n": TOP_N,
            "max_supply_jump": jump,
        }
    )
    first = year.snapshots[0]
    components = tuple(
        component.model_copy(update={"state": state_of(first, component.symbol).name.lower()})
        for component in plain.components
    )
    update = {"name": "Ballast Year", "symbol": "BALYEAR", "methodology": rule, "components": components}
    return plain.model_copy(update=update)


def python_rule(config: FundConfig) -> Rule:
    """The fund's rule as an argument of the Python methodology."""
    cap, cap_weight, floor_weight, entry_weight, top_n, floor_each, age, jump, passes = config.methodology.as_tuple()
    return Rule(Cap(cap), cap_weight, floor_weight, entry_weight, top_n, bool(floor_each), age, jump, passes)


def prepare(
    on: ForkedChain, year: Year, streaming_fee: int, cadence: Cadence, progress: Any, jump: int = MAX_SUPPLY_JUMP
) -> YearFund:
    """Deploys and seeds the fund. `jump`: the rule's largest change of a supply, 18 decimals."""
    market = Market(on.rpc, on.world)
    clock = Clock(on.rpc, market)
    clock.jump(clock.now() + BLOCK_S)
    config = year_config(on, year, streaming_fee, cadence, jump)
    deal_seed(on.deployer, config)
    path = on.folder / "book.json"
    book = deploy_fund(on.project, on.deployer, config, book_path=path, progress=progress, unsafe=True)
    return YearFund(
        on=on,
        year=year,
        market=market,
        clock=clock,
        config=config,
        book=book,
        index=on.project.IndexToken.at(book["index_token"]),
        rebalancer=on.project.Rebalancer.at(book["rebalancer"]),
        rule=python_rule(config),
        cadence=cadence,
    )


def turn(fund: YearFund, snapshot: Snapshot, begin: int) -> None:
    """Prepares a period that begins at `begin`: the owner schedules the month's supplies and states, the market moves
    to the month's prices and depths, and the owner's operation is executed once its delay is over."""
    fund.clock.jump(begin - fund.config.timelock_delay - SETTING_UP_S)
    operation = _operation(fund, snapshot)
    delay = fund.config.timelock_delay
    timelock = fund.on.project.Timelock.at(fund.book["timelock"])
    timelock.scheduleBatch(*operation, delay, sender=fund.on.deployer)
    fund.clock.jump(begin - SETTING_UP_S + 10 * BLOCK_S)
    to_prices(fund, snapshot)
    timelock.executeBatch(*operation, sender=fund.on.deployer)


def to_prices(fund: YearFund, snapshot: Snapshot) -> None:
    """Sets the snapshot's reference prices, pool prices and depths. The feeds follow when the clock posts them."""
    fund.market.set_price(fund.world.weth, snapshot.weth_price)
    for symbol, token in fund.year.tokens.items():
        fund.market.set_price(token, snapshot.quotes[symbol].price)
    fund.market.arbitrage(rest_s=0)
    with Cheats(fund.rpc).acting_as(fund.world.market, 10**6 * WAD):
        for symbol, token in fund.year.tokens.items():
            for pool in fund.world.token(token).pools:
                _to_depth(fund, token, pool.pair, weth_depth(snapshot, symbol))


def _to_depth(fund: YearFund, token: str, pair: str, wanted: int) -> None:
    """Adds liquidity to the pair, or removes some of the market's, until its WETH side is `wanted` wei; the price
    stays."""
    rpc, weth, market = fund.rpc, fund.world.weth, fund.world.market
    ((tokens, weths, _),) = reserves_of(rpc, weth, [(token, pair)])
    if wanted > weths:
        send(rpc, market, token, call_data("mint(address,uint256)", pair, tokens * (wanted - weths) // weths), gas=_GAS)
        send(rpc, market, weth, call_data("transfer(address,uint256)", pair, wanted - weths), gas=_GAS)
        send(rpc, market, pair, call_data("mint(address)", market), gas=_GAS)
    elif wanted < weths:
        (total,) = read(rpc, pair, "totalSupply()", ["uint256"])
        taken = min(total * (weths - wanted) // weths, total - _HELD)
        send(rpc, market, pair, call_data("transfer(address,uint256)", pair, taken), gas=_GAS)
        send(rpc, market, pair, call_data("burn(address)", market), gas=_GAS)


def _operation(fund: YearFund, snapshot: Snapshot) -> tuple[Any, ...]:
    """The owner's operation for a month: every candidate's supply (the last known one of those that have left) and
    state."""
    posted = fund.book["posted_supply"]
    dated = fund.clock.now()
    supplies = [(token, snapshot.quotes[symbol].supply, dated) for symbol, token in fund.year.tokens.items()]
    given = {component.token: component.given_supply for component in fund.config.components}
    candidates = [
        (token, posted, int(state_of(snapshot, symbol)), given[token]) for symbol, token in fund.year.tokens.items()
    ]
    targets = [posted, fund.book["methodology"]]
    payloads = [
        encode_call("post((address,uint88,uint40)[])", supplies),
        encode_call("setCandidates((address,address,uint8,uint88)[])", candidates),
    ]
    return targets, [0, 0], payloads, bytes(32), snapshot.period.to_bytes(32, "big")


# Reading the chain at a block


def balances(fund: YearFund, block: int) -> dict[str, int]:
    """Token wei that the fund holds of each token at the end of a block, by symbol."""
    found = balances_at(fund.rpc, fund.year.tokens.values(), fund.index.address, block)
    return {symbol: found[token] for symbol, token in fund.year.tokens.items()}


def shares(fund: YearFund, block: int) -> int:
    """Supply at the end of a block."""
    return supply_at(fund.rpc, fund.index.address, block)


def units(fund: YearFund, block: int) -> dict[str, int]:
    """Token wei per 1e18 shares, by symbol."""
    supply = shares(fund, block)
    return {symbol: balance * WAD // supply for symbol, balance in balances(fund, block).items() if balance}


def listed_tokens(fund: YearFund, block: int) -> list[str]:
    """The tokens of the index token's list, ascending."""
    request = {"to": fund.index.address, "data": call_data("components()")}
    answer = fund.rpc.request("eth_call", request, hex(block))
    (rows,) = decode(["(address,uint8,uint40,bool)[]"], bytes.fromhex(answer[2:]))
    return [Web3.to_checksum_address(row[0]) for row in rows]


def target_units_at(fund: YearFund, pointer: str, block: int) -> dict[str, int]:
    """Target units of the month, by symbol."""
    code = bytes.fromhex(fund.rpc.request("eth_getCode", pointer, hex(block))[2:])
    symbol_of = {token: symbol for symbol, token in fund.year.tokens.items()}
    return {symbol_of[token]: unit for token, unit in target_units(code, listed_tokens(fund, block)).items()}


def confirmed_at(fund: YearFund, block: int) -> list[Decision]:
    """The month's determination as confirmed by its start, in this block."""
    pointer = fund.rebalancer.month(block_identifier=block).determination
    code = bytes.fromhex(fund.rpc.request("eth_getCode", pointer, hex(block))[2:])[1:]
    return packed.constituents([int.from_bytes(code[i : i + 32], "big") for i in range(0, len(code), 32)])


def senders(fund: YearFund, first: int, last: int) -> Mapping[str, list[str]]:
    """Hashes of the transactions in these blocks, by sender."""
    calls = [("eth_getBlockByNumber", (hex(number), True)) for number in range(first, last + 1)]
    found: dict[str, list[str]] = {}
    for block in fund.rpc.batch(calls):
        for transaction in block["transactions"]:
            found.setdefault(Web3.to_checksum_address(transaction["from"]), []).append(transaction["hash"])
    return found


def gas_used(fund: YearFund, transactions: Sequence[str]) -> int:
    """Total gas of mined transactions."""
    receipts = fund.rpc.batch([("eth_getTransactionReceipt", (digest,)) for digest in transactions])
    return sum(int(receipt["gasUsed"], 16) for receipt in receipts)
