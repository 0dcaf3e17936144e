"""A fund on the fork, wired by hand so that every part can be chosen, with the accounts around it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ballast.deployment.creation import predicted
from ballast.rule.calendar import MONTH
from ballast.units import BLOCK_S, DAY_S, WAD
from ballast.values import NO_ADDRESS
from lab.localnet.market import Market
from lab.localnet.month_file import Month
from lab.localnet.world import World
from tests.helpers.chain import Chain
from tests.helpers.contracts import Call, Contract

YEAR = 31_557_600
"""Seconds of the year that the yearly fee refers to: 365.25 days."""
ETH = ANYONE = NO_ADDRESS
DEAD = "0x000000000000000000000000000000000000dEaD"
LOCKED_SHARES = WAD // 10
FOREVER = 2**256 - 1

FOUNDED = 1_616_457_600
"""2021-03-23 00:00 UTC: when the fund of the fixtures is deployed, in the period of March."""
PERIOD_START = 1_616_630_400
"""2021-03-25 00:00 UTC: the period of April begins, 7 days before the month."""
EXECUTION = 1_617_235_200
"""2021-04-01 00:00 UTC: the first business day of April 2021, a Thursday."""
PERIOD_END = 1_619_222_399
"""2021-04-23 23:59:59 UTC: the last second of the period of April."""

NONE, HARD = 0, 1  # MarketCap's kinds of cap
ACTIVE, FROZEN, LEAVING = range(3)  # states of a candidate
USD, IN_ETH, PEGGED = range(3)  # what a source of prices gives
FIRST_BUSINESS_DAY, LAST_DAY, FIXED_DAY = 0, 1, 2  # execution days


@dataclass(frozen=True)
class Limits:
    """The rebalancer's `Limits`; fractions with 18 decimals, times in seconds."""

    first_tolerance: int = -15 * WAD // 1000
    last_tolerance: int = 4 * WAD // 100
    batch_cap: int = 2 * WAD // 100
    loss_budget: int = 5 * WAD // 1000
    max_step: int = WAD // 10
    dust: int = 2 * 10**13
    cool_off: int = 600
    max_idle: int = 1800

    def as_tuple(self) -> tuple[int, ...]:
        return tuple(self.__dict__.values())


@dataclass(frozen=True)
class Timetable:
    """The rebalancer's `Timetable`; times in seconds."""

    length: int = MONTH
    day: int = FIRST_BUSINESS_DAY
    fixed_day: int = 0
    notice: int = 7 * DAY_S
    min_notice: int = 2 * DAY_S
    min_trading: int = 2 * DAY_S
    begins: int = 0
    first: int = 0

    def as_tuple(self) -> tuple[int, ...]:
        return tuple(self.__dict__.values())


@dataclass(frozen=True)
class Setup:
    """Parameters of a fund's deployment."""

    fee: int = 95 * WAD // 10_000
    supply_cap: int = 1_000_000
    limits: Limits = field(default_factory=Limits)
    band: int = 0
    timetable: Timetable = field(default_factory=Timetable)
    timelock_delay: int = 2 * DAY_S
    max_age: int = 25 * 3600
    """Oldest answer of a feed that counts, in seconds."""
    sequencer: tuple[str, int] = (ETH, 0)
    """The rollup's sequencer feed and the seconds without prices after an outage; none."""
    anchors: tuple[tuple[str, str, int, int], ...] = ()
    """Second sources beside the feeds, as AnchoredOracle lists them."""
    poster: str = ANYONE
    """Who posts supplies besides the timelock; nobody."""

    def but(self, **changes: Any) -> Setup:
        """The same with other values."""
        return replace(self, **changes)


@dataclass(frozen=True)
class Fund:
    """A deployed and seeded fund and the accounts around it. `deployer` holds all shares but the locked ones."""

    chain: Chain
    world: World
    setup: Setup
    index: Contract
    rebalancer: Contract
    opener: Contract
    calendar: Contract
    oracle: Contract
    methodology: Contract
    supplies: Contract
    timelock: Contract
    filler: Contract
    lens: Contract
    deployer: str
    proposer: str
    guardian: str
    recipient: str

    @property
    def owner(self) -> str:
        """The timelock's address; the node signs for it, so that owner calls can skip the delay."""
        return self.timelock.address

    def tokens(self) -> list[str]:
        """Addresses of the components, in the list's order."""
        return [component.token for component in self.chain.read(self.index.components())]

    def balances(self, account: str | Contract | None = None, tokens: Sequence[str] | None = None) -> list[int]:
        """Token wei of each component (or of `tokens`) held by the index token, or by `account`."""
        holder = self.index if account is None else account
        listed = self.tokens() if tokens is None else tokens
        return [self.chain.read(self.token(t).balanceOf(holder)) for t in listed]

    def token(self, address: str) -> Contract:
        """A component as a contract; its `mint` is open."""
        return self.chain.at("ReferenceToken", address)

    def move_to(self, time: int) -> None:
        """Goes to a time and posts every feed at its reference price there: the latest block is at `time` + 1."""
        self.chain.move_to(time)
        self.market().post_feeds()

    def market(self) -> Market:
        """A market at the month's prices; change prices on one of your own and post them."""
        return Market(self.chain.rpc, self.world)

    def mint(self, shares: int, to: str, *, at: int | None = None) -> dict[str, Any]:
        """Mints for `to`, who must be funded (see `fund_holder`), at any price."""
        tokens = self.tokens()
        return self.chain.send(self.index.mint(shares, to, tokens, [FOREVER] * len(tokens)), to, at=at)

    def redeem(self, shares: int, holder: str, *, at: int | None = None) -> dict[str, Any]:
        """Redeems the holder's shares to himself, at any price."""
        tokens = self.tokens()
        return self.chain.send(self.index.redeem(shares, holder, tokens, [0] * len(tokens), 0), holder, at=at)


def create_index(
    chain: Chain, deployer: str, rebalancer: str, owner: str, recipient: str, *, fee: int = 0, supply_cap: int = 10**6
) -> Contract:
    """An index token that is not seeded yet."""
    return chain.deploy("IndexToken", "Ballast", "BLST", rebalancer, owner, recipient, fee, supply_cap, sender=deployer)


def give(chain: Chain, account: str, spender: Contract, amounts: dict[str, int]) -> None:
    """Mints token wei to the account and lets the spender take any amount of each."""
    for address, amount in amounts.items():
        token = chain.at("ReferenceToken", address)
        chain.send(token.mint(account, amount), account)
        chain.send(token.approve(spender, FOREVER), account)


def fund_holder(fund: Fund, name: str, wei: int = 10**30) -> str:
    """An account that can pay for any mint: `wei` of each of the world's tokens, approved to the index token."""
    account = fund.chain.account(name)
    give(fund.chain, account, fund.index, {token.address: wei for token in fund.world.tokens})
    return account


def deploy_fund(chain: Chain, world: World, month: Month, setup: Setup, *, at: int = FOUNDED) -> Fund:
    """Deploys a fund and seeds it in the month's published state: units before the rebalance, total supply.

    It is deployed at `at`, or at the chain's time if that is later. The feeds are posted at the reference prices.
    """
    deployer, proposer = chain.account("deployer"), chain.account("proposer")
    guardian, recipient = chain.account("guardian"), chain.account("fee recipient")
    chain.move_to(max(at, chain.now()))
    Market(chain.rpc, world).post_feeds()

    timelock = chain.deploy("Timelock", setup.timelock_delay, [proposer], [ANYONE], sender=deployer)
    opener = chain.deploy("Opener", sender=deployer)
    calendar = chain.deploy("Calendar", sender=deployer)
    lens = chain.deploy("FundLens", sender=deployer)
    filler = chain.deploy("UniswapFiller", world.weth, sender=deployer)
    left = {"posted_supply", "oracle", "methodology", "index_token", "rebalancer"}
    left |= {"first_oracle"} if setup.anchors else set()
    rebalancer_address = predicted(deployer, chain.nonce(deployer), left)["rebalancer"]
    posting = timelock, rebalancer_address, setup.poster, posted_supplies(month, chain.now())
    supplies = chain.deploy("PostedSupply", *posting, sender=deployer)
    rows = feeds(world, setup.max_age)
    oracle = chain.deploy("ChainlinkOracle", timelock, rebalancer_address, *setup.sequencer, rows, sender=deployer)
    if setup.anchors:
        parts = timelock, rebalancer_address, oracle, world.uniswap_v3_factory, world.weth, BLOCK_S
        oracle = chain.deploy("AnchoredOracle", *parts, list(setup.anchors), sender=deployer)
    methodology = chain.deploy("MarketCap", timelock, *market_cap_arguments(month, supplies), sender=deployer)
    index = create_index(
        chain,
        deployer,
        rebalancer_address,
        timelock.address,
        recipient,
        fee=setup.fee,
        supply_cap=setup.supply_cap,
    )
    rebalancer = chain.deploy(
        "Rebalancer",
        index,
        oracle,
        opener,
        calendar,
        methodology,
        timelock,
        guardian,
        setup.limits.as_tuple(),
        setup.band,
        setup.timetable.as_tuple(),
        sender=deployer,
    )
    assert rebalancer.address == rebalancer_address
    units = dict(sorted(((c.address, c.current_unit) for c in month.components if c.current_unit), key=by_address))
    amounts = {token: -(-unit * month.total_supply // WAD) for token, unit in units.items()}
    give(chain, deployer, index, amounts)
    chain.send(index.seed(list(units), list(units.values()), month.total_supply, deployer), deployer)
    chain.impersonate(timelock)
    return Fund(
        chain=chain,
        world=world,
        setup=setup,
        index=index,
        rebalancer=rebalancer,
        opener=opener,
        calendar=calendar,
        oracle=oracle,
        methodology=methodology,
        supplies=supplies,
        timelock=timelock,
        filler=filler,
        lens=lens,
        deployer=deployer,
        proposer=proposer,
        guardian=guardian,
        recipient=recipient,
    )


def by_address(entry: Sequence[Any]) -> int:
    """Sort key of (address, ...) in the contracts' order."""
    return int(entry[0], 16)


def feeds(world: World, max_age: int) -> list[tuple[str, str, int, int, int, int, int]]:
    """The oracle's feeds: ETH/USD, then each token's; without bands."""
    rows = [(ETH, world.eth_feed, max_age, USD, 0, 0, 0)]
    return rows + [(token.address, token.feed, max_age, USD, 0, 0, 0) for token in world.tokens]


def posted_supplies(month: Month, date: int) -> list[tuple[str, int, int]]:
    """The published supplies of the month's constituents, dated `date`."""
    return sorted(((c.address, c.supply, date) for c in month.components if c.supply), key=by_address)


def rule(cap: int = NONE, cap_weight: int = 0, *, floor_each: bool = False) -> tuple[int | bool, ...]:
    """A market-cap rule without floors: up to 50 constituents, supplies of 100 days, jumps of 25 %."""
    return (cap, cap_weight, 0, 0, 50, floor_each, 100 * DAY_S, WAD // 4, 1)


def market_cap_arguments(month: Month, supplies: Contract) -> tuple[Any, list[tuple[str, str, int, int]]]:
    """Rule and candidates of a market-cap month, for MarketCap's constructor after the owner. The published supplies
    count as confirmed."""
    cap = HARD if month.cap == "hard" else NONE
    candidates = [(token, supplies.address, ACTIVE, supply) for token, supply, _ in posted_supplies(month, 0)]
    return rule(cap, month.cap_weight or 0, floor_each=month.nav_floor == "component"), candidates


def through_timelock(fund: Fund, call: Call) -> dict[str, Any]:
    """Schedules the owner's call, waits for the delay, executes it as a stranger; the receipt. Feeds age meanwhile."""
    chain, salt = fund.chain, (0).to_bytes(32, "big")
    assert call.to is not None
    what = (call.to, 0, call.data, bytes(32), salt)
    scheduled = chain.now() + 1
    chain.send(fund.timelock.schedule(*what, fund.setup.timelock_delay), fund.proposer, at=scheduled)
    stranger = chain.account("stranger")
    return chain.send(fund.timelock.execute(*what), stranger, at=scheduled + fund.setup.timelock_delay)
