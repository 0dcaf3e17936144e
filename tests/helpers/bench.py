"""A small fund in which every figure can be chosen: six tokens of odd decimals, posted prices, posted targets.

Its owner, guardian and keeper are plain accounts, so that a test chooses who acts and needs no waiting. The tokens are
in ascending order of address; index i below is their position in the fund's list once trading is open.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from ballast.deployment.creation import predicted
from ballast.units import WAD
from tests.helpers.chain import Chain
from tests.helpers.contracts import Contract
from tests.helpers.fund import EXECUTION, PERIOD_START, Limits, Timetable

SUPPLY = 1_000 * WAD
NOTICE = PERIOD_START
PERIOD = 2021 * 12 + 3

HELD = 4  # the component that is at its target
NEWCOMER = 3  # the component that is bought and not held at start


class Kind(NamedTuple):
    """A token of the bench: decimals, price (USD, 18 decimals), unit held and target unit (token wei)."""

    decimals: int
    price: int
    unit: int
    target: int


KINDS = (
    Kind(18, 50_123456789012345678, 800_000_000_000_000_001, 720_000_000_000_000_007),  # sold: 4 % of NAV
    Kind(6, 2_003000000000000001, 5_000_001, 6_000_000),  # bought: 2 %
    Kind(8, 30_011_987654321098765432, 100_003, 90_001),  # sold: 3 %
    Kind(18, 501234567890123456, 0, 4_000_000_000_000_000_000),  # bought from nothing: 2 %
    Kind(27, 202_000000000000000000, 5 * 10**25, 5 * 10**25),  # held
    Kind(18, 1_002_345678901234567890, 10_000_000_000_000_000, 13_000_000_000_000_003),  # bought: 3 %
)
SELLS = (0, 2)
BUYS = (1, 3, 5)


LIMITS = Limits()
TIMETABLE = Timetable()


@dataclass(frozen=True)
class Bench:
    """The fund and the accounts that act on it."""

    chain: Chain
    tokens: tuple[Contract, ...]
    index: Contract
    rebalancer: Contract
    oracle: Contract
    methodology: Contract
    opener: Contract
    lens: Contract
    filler: Contract
    deployer: str
    owner: str
    guardian: str
    keeper: str
    holder: str

    def fund(self, at: int | None = None) -> Any:
        """FundLens.fund in a block at that time."""
        return self.chain.read(self.lens.fund(self.rebalancer), at=at)

    def due(self, at: int | None = None) -> tuple[str, str, int]:
        """`workable()`, by name."""
        action, reason, following = self.chain.read(self.rebalancer.workable(), at=at)
        return ACTIONS[action], REASONS[reason], following

    def post_prices(self, prices: Sequence[int]) -> None:
        """Posts a price for each token, USD with 18 decimals, without moving the time."""
        self.chain.send(self.oracle.post(list(self.tokens), list(prices)), self.keeper, at=self.chain.now())

    def post_targets(self, targets: Mapping[int, int], statuses: Mapping[int, int] | None = None) -> None:
        """Posts constituents: token position to target unit, and the status of those that are not included. All are
        flagged as read again at start, so that start reports their bases."""
        found = statuses or {}
        constituents = [
            constituent(self.tokens[i], unit, found.get(i, INCLUDED), CONFIRMED, 0, 0) for i, unit in targets.items()
        ]
        self.chain.send(self.methodology.post(constituents), self.keeper, at=self.chain.now())

    def set_limits(self, **fields: int) -> Limits:
        """Sets limits as the owner: the defaults with these fields changed."""
        limits = replace(LIMITS, **fields)
        self.chain.send(self.rebalancer.setLimits(limits.as_tuple(), 0), self.owner, at=self.chain.now())
        return limits

    def determine(self, at: int = NOTICE) -> dict[str, Any]:
        return self.chain.send(self.rebalancer.determine(), self.keeper, at=at)

    def start(self, at: int = EXECUTION) -> dict[str, Any]:
        return self.chain.send(self.rebalancer.start(), self.keeper, at=at)

    def open(self) -> dict[str, Any]:
        """Determines and starts; the receipt of start."""
        self.determine()
        return self.start()

    def holdings(self) -> list[int]:
        """Balances of the fund, in the tokens' order."""
        return [self.chain.read(token.balanceOf(self.index)) for token in self.tokens]

    def give(self, i: int, to: str | Contract, amount: int) -> None:
        """Mints token wei for an account, without moving the time."""
        self.chain.send(self.tokens[i].mint(to, amount), self.keeper, at=self.chain.now())

    def value_per_share(self, prices: Sequence[int] | None = None) -> int:
        """USD (18 decimals) of 10^9 shares, down, at these prices (KINDS' by default)."""
        usd = [kind.price for kind in KINDS] if prices is None else prices
        held = zip(self.holdings(), usd, KINDS, strict=True)
        total = sum(balance * price * 10 ** (27 - kind.decimals) for balance, price, kind in held)
        return int(total // self.chain.read(self.index.totalSupply()))

    def mint(self, shares: int, account: str, at: int | None = None) -> None:
        """Mints shares for an account, with tokens made for it."""
        time = self.chain.now() + 1 if at is None else at
        addresses, amounts, blocked = self.chain.read(self.index.previewMint(shares), at=time)
        assert not blocked
        for address, amount in zip(addresses, amounts, strict=True):
            token = self.chain.at("ReferenceToken", address)
            self.chain.send(token.mint(account, amount), account, at=self.chain.now())
            self.chain.send(token.approve(self.index, amount), account, at=self.chain.now())
        self.chain.send(self.index.mint(shares, account, addresses, amounts), account, at=time)

    def redeem(self, shares: int, account: str, at: int | None = None) -> dict[str, Any]:
        """Redeems every component."""
        listed = [component.token for component in self.chain.read(self.index.components())]
        return self.chain.send(self.index.redeem(shares, account, listed, [0] * len(listed), 0), account, at=at)


ACTIONS = ("None", "Determine", "Start", "Trade", "Close")
REASONS = ("Due", "Locked", "Paused", "NotSeeded", "NotYet", "TooLate", "Vetoed", "Done", "Refused")


INCLUDED, FROZEN, LEAVING, OUTSIDE = range(4)  # statuses of a constituent


CONFIRMED = 128
"""Flag of a basis that was read again at start and counts."""


def constituent(token: Contract | str, basis: int, status: int = INCLUDED, *more: int) -> tuple[Any, ...]:
    """A constituent as the contracts' tuple; `more`: flags, price, weight, confirmed basis and whether it is a member;
    what is left out is 0."""
    flags, price, weight, before, member = (*more, 0, 0, 0, 0, 0)[:5]
    address = token.address if isinstance(token, Contract) else token
    return (address, basis, status, flags, price, weight, before, bool(member))


def confirmed(basis: int) -> int:
    """A basis as start reports it, with its flag; 0 for what is not included."""
    return basis and CONFIRMED << 88 | basis


def not_due(action: str, reason: str) -> tuple[int, int]:
    """The arguments of the error NotDue."""
    return ACTIONS.index(action), REASONS.index(reason)


def _bounds() -> tuple[tuple[int, ...], int, tuple[int, ...]]:
    return LIMITS.as_tuple(), 0, TIMETABLE.as_tuple()


def build(chain: Chain, *, fee: int = 0, seeded: bool = True) -> Bench:
    """Deploys the bench. Determination is due from NOTICE, start from EXECUTION."""
    deployer, owner, guardian, keeper, holder = map(
        chain.account, ("deployer", "owner", "guardian", "keeper", "holder")
    )
    made = (chain.deploy("ReferenceToken", sender=deployer) for _ in KINDS)
    tokens = tuple(sorted(made, key=lambda token: token.address.lower()))
    for token, kind in zip(tokens, KINDS, strict=True):
        chain.send(token.init("Token", "TOK", kind.decimals), deployer)
    oracle = chain.deploy("PostedOracle", sender=deployer)
    methodology = chain.deploy("PostedMethodology", sender=deployer)
    opener = chain.deploy("Opener", sender=deployer)
    calendar = chain.deploy("Calendar", sender=deployer)
    lens = chain.deploy("FundLens", sender=deployer)
    filler = chain.deploy("ScriptedFiller", sender=deployer)
    place = predicted(deployer, chain.nonce(deployer), ("index_token", "rebalancer"))["rebalancer"]
    index = chain.deploy("IndexToken", "Bench", "BENCH", place, owner, owner, fee, 10**9, sender=deployer)
    rebalancer = chain.deploy(
        "Rebalancer", index, oracle, opener, calendar, methodology, owner, guardian, *_bounds(), sender=deployer
    )
    assert rebalancer.address == place
    parts = (index, rebalancer, oracle, methodology, opener, lens, filler)
    bench = Bench(chain, tokens, *parts, deployer, owner, guardian, keeper, holder)
    bench.post_prices([kind.price for kind in KINDS])
    bench.post_targets({i: kind.target for i, kind in enumerate(KINDS)})
    if seeded:
        seed(bench)
    return bench


def seed(bench: Bench) -> None:
    """Seeds SUPPLY shares to the holder, with the units of KINDS."""
    held = [(token, kind.unit) for token, kind in zip(bench.tokens, KINDS, strict=True) if kind.unit]
    for token, unit in held:
        amount = -(-unit * SUPPLY // WAD)
        bench.chain.send(token.mint(bench.deployer, amount), bench.deployer)
        bench.chain.send(token.approve(bench.index, amount), bench.deployer)
    listed, units = [token for token, _ in held], [unit for _, unit in held]
    bench.chain.send(bench.index.seed(listed, units, SUPPLY, bench.holder), bench.deployer)
