"""A small fund whose components are bought and sold in real pools of Uniswap V2, SushiSwap and Uniswap V3."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import isqrt

from ballast.abi import encode_call
from ballast.networks.exchanges import EXCHANGES, v3_pool_address
from ballast.units import ETHER, WAD
from keeper.pools.venues.v2 import V2Pool
from keeper.pools.venues.v3 import V3Pool
from lab.localnet.addresses import pair_address
from lab.localnet.rpc import read
from lab.localnet.v3 import MAX_TICK, Q96, V3Depth, open_v3
from lab.localnet.world import World
from tests.helpers.chain import Chain
from tests.helpers.contracts import Call, Contract
from tests.helpers.fund import ANYONE, FOREVER, create_index
from tests.helpers.v3 import read_pool

ETH = ANYONE
NONE, UNISWAP_V2, SUSHISWAP_V2, UNISWAP_V3, IN_KIND, SKIP = range(6)
SEEDED = 1000 * WAD
CAP = 10**6
HOUR = 3600
FEE = 95 * WAD // 10_000

Leg = tuple[int, int]
"""Venue, and fee in millionths of a V3 pool."""
V2, SUSHI = (UNISWAP_V2, 0), (SUSHISWAP_V2, 0)
V3, V3_LOW = (UNISWAP_V3, 3000), (UNISWAP_V3, 500)
Pool = V2Pool | V3Pool

COMPONENTS: dict[str, tuple[Leg, ...]] = {
    "A": (V2, V3),
    "B": (SUSHI,),
    "C": (V3,),
    "D": (V3_LOW,),
    "E": (V2,),
    "USD": (V2, V3_LOW),
}
"""Each component beside WETH and where it has pools; 0.01 WETH each, USD 0.0005 WETH. The first is the usual one."""
PAY: tuple[Leg, ...] = (V2, V3_LOW)
"""Where the token that is no component has pools."""
DEPTH = 1000 * WAD
"""WETH on each side of a pool."""


def packed(leg: Leg) -> int:
    """A leg as a number."""
    return leg[0] << 24 | leg[1]


@dataclass(frozen=True)
class Scene:
    """Fund, zap, tokens by name ("WETH" and "PAY" too), accounts. `holder` has all seeded shares but the locked ones,
    and has approved the zap for every token and his shares."""

    chain: Chain
    world: World
    index: Contract
    rebalancer: Contract
    zap: Contract
    lens: Contract
    tokens: Mapping[str, Contract]
    holder: str
    owner: str

    # The list

    def name(self, address: str) -> str:
        return next(name for name, token in self.tokens.items() if token.address == address)

    def listed(self) -> list[str]:
        """Names of the components in the list's order."""
        return [self.name(c.token) for c in self.chain.read(self.index.components())]

    def addresses(self) -> list[str]:
        return [self.tokens[name].address for name in self.listed()]

    def address(self, name: str) -> str:
        return ETH if name == "ETH" else self.tokens[name].address

    def legs(self, **other: Leg) -> bytes:
        """Of every component the usual leg, or another."""
        usual = {name: legs[0] for name, legs in COMPONENTS.items()} | {"WETH": (NONE, 0)} | other
        return b"".join(packed(usual[name]).to_bytes(4) for name in self.listed())

    # Pools and what they ask for

    def pool(self, name: str, leg: Leg) -> Pool:
        """The pool of a token and WETH as it stands."""
        token, weth = self.tokens[name].address, self.world.weth
        low, high = sorted((token, weth), key=lambda address: int(address, 16))
        if leg[0] == UNISWAP_V3:
            return read_pool(self.chain, self.lens, v3_pool_address(self.world.uniswap_v3_factory, low, high, leg[1]))
        venue, factory = factory_of(self.world, leg)
        pair = pair_address(venue, factory, token, weth)
        reserves = read(self.chain.rpc, pair, "getReserves()", ["uint112", "uint112", "uint32"])
        return V2Pool(venue, pair, (low, high), reserves[:2])

    def cost(self, shares: int, pay: str, pay_leg: Leg, at: int, **other: Leg) -> int:
        """What a mint at that time takes, in wei of the pay token: every component at what its pool asks for."""
        _, amounts, _ = self.chain.read(self.index.previewMint(shares), at=at)
        direct, weth = 0, 0
        for name, amount in zip(self.listed(), amounts, strict=True):
            if name == pay:
                direct += amount
            elif name == "WETH":
                weth += amount
            elif amount:
                leg = other.get(name, COMPONENTS.get(name, (V2,))[0])
                weth += self.pool(name, leg).amount_in(self.world.weth, amount)
        if pay in ("ETH", "WETH"):
            return direct + weth
        return direct + self.pool(pay, pay_leg).amount_in(self.address(pay), weth)

    def proceeds(self, shares: int, receive: str, receive_leg: Leg, at: int, **other: Leg) -> int:
        """What a redemption at that time brings, in wei of the receive token."""
        _, amounts, _ = self.chain.read(self.index.previewRedeem(shares), at=at)
        direct, weth = 0, 0
        for name, amount in zip(self.listed(), amounts, strict=True):
            leg = other.get(name, COMPONENTS.get(name, (V2,))[0])
            if leg[0] in (IN_KIND, SKIP) or amount == 0:
                continue
            if name == "WETH":
                weth += amount
            elif name == receive:
                direct += amount
            else:
                weth += self.pool(name, leg).amount_out(self.address(name), amount)
        if receive in ("ETH", "WETH"):
            return direct + weth
        return direct + self.pool(receive, receive_leg).amount_out(self.world.weth, weth)

    # Calls

    def mint(
        self,
        shares: int,
        pay: str,
        most: int,
        to: str | None = None,
        *,
        legs: bytes | None = None,
        pay_leg: Leg = V2,
        deadline: int = FOREVER,
    ) -> Call:
        given = self.legs() if legs is None else legs
        return self.zap.mint(shares, self.address(pay), most, given, packed(pay_leg), deadline, to or self.holder)

    def redeem(
        self,
        shares: int,
        receive: str,
        least: int = 0,
        to: str | None = None,
        *,
        legs: bytes | None = None,
        receive_leg: Leg = V2,
        deadline: int = FOREVER,
    ) -> Call:
        given, leg = self.legs() if legs is None else legs, packed(receive_leg)
        tokens = self.addresses()
        return self.zap.redeem(shares, self.address(receive), least, tokens, given, leg, deadline, to or self.holder)

    def set_state(self, name: str, until: int, written_off: bool = False) -> None:
        """Sets a component's state without moving the time."""
        steps = self.index.lock(), self.index.setState(self.tokens[name], until, written_off), self.index.unlock()
        call = self.rebalancer.run([(step.to, step.data, False) for step in steps])
        self.chain.send(call, self.holder, at=self.chain.now())

    # Balances

    def balance(self, name: str, account: str | Contract) -> int:
        if name == "ETH":
            address = account.address if isinstance(account, Contract) else account
            return int(self.chain.rpc.request("eth_getBalance", address, "latest"), 16)
        return int(self.chain.read(self.tokens[name].balanceOf(account)))

    def shares(self, account: str | Contract) -> int:
        return int(self.chain.read(self.index.balanceOf(account)))

    def holds(self, account: str | Contract) -> dict[str, int]:
        """Everything that an account could have here."""
        names = ("ETH", *self.tokens)
        return {name: self.balance(name, account) for name in names} | {"shares": self.shares(account)}

    def assert_clean(self) -> None:
        """The zap holds nothing and has approved nobody."""
        assert not any(self.holds(self.zap).values()), self.holds(self.zap)
        pools = [self.pool(name, leg).address for name, legs in POOLS.items() for leg in legs]
        for token in (*self.tokens.values(), self.index):
            for spender in (*pools, self.index.address, self.holder):
                assert self.chain.read(token.allowance(self.zap, spender)) == 0


POOLS = {**COMPONENTS, "PAY": PAY}


def build(chain: Chain, world: World) -> Scene:
    """Deploys it and seeds the fund: 0.1 of each token a share, 2 USD, 0.001 WETH."""
    builder, owner, holder = map(chain.account, ("zap builder", "owner", "zap holder"))
    chain.send(_call(world.weth, "deposit()"), builder, value=50_000 * ETHER)
    tokens = {"WETH": chain.at("PermitToken", world.weth)}
    for name in COMPONENTS:
        kind = ("PermitToken", "USD", 6) if name == "USD" else ("OddToken", 18)
        tokens[name] = chain.deploy(*kind, sender=builder)
    tokens["PAY"] = chain.deploy("PermitToken", "PAY", 6, sender=builder)
    for name, legs in POOLS.items():
        for leg in legs:
            open_pool(chain, world, builder, tokens[name], leg, dollar=name in ("USD", "PAY"), narrow=name == "D")
    rebalancer = chain.deploy("ScriptedFiller", sender=builder)
    index = create_index(chain, builder, rebalancer.address, owner, owner, fee=FEE, supply_cap=CAP)
    zap = chain.deploy("Zap", index, world.weth, EXCHANGES[1], sender=builder)
    units = {"WETH": WAD // 1000, "USD": 2 * 10**6} | {n: WAD // 10 for n in COMPONENTS if n != "USD"}
    rows = sorted((int(tokens[name].address, 16), name) for name in units)
    for _, name in rows:
        if name != "WETH":
            chain.send(tokens[name].mint(builder, units[name] * SEEDED // WAD), builder)
        chain.send(tokens[name].approve(index, FOREVER), builder)
    listed = [tokens[name].address for _, name in rows]
    chain.send(index.seed(listed, [units[name] for _, name in rows], SEEDED, holder), builder)
    for name, token in tokens.items():
        call = token.transfer(holder, 5_000 * WAD) if name == "WETH" else token.mint(holder, 10**26)
        chain.send(call, builder)
        chain.send(token.approve(zap, FOREVER), holder)
    chain.send(index.approve(zap, FOREVER), holder)
    lens = chain.deploy("V3Lens", sender=builder)
    return Scene(chain, world, index, rebalancer, zap, lens, tokens, holder, owner)


def open_pool(
    chain: Chain, world: World, builder: str, token: Contract, leg: Leg, *, dollar: bool, narrow: bool
) -> None:
    """A pool of WETH, which the builder has, and a token that is worth 0.01 of it, or 0.0005. `narrow`: one of V3 whose
    liquidity ends 6 % from the price."""
    amount = 2_000_000 * 10**6 if dollar else 100_000 * WAD
    weth = chain.at("PermitToken", world.weth)
    low = int(token.address, 16) < int(world.weth, 16)
    if leg[0] == UNISWAP_V3:
        pair = (token.address, world.weth) if low else (world.weth, token.address)
        first, second = (amount, DEPTH) if low else (DEPTH, amount)
        price, liquidity = isqrt((second << 192) // first), isqrt(first * second)
        assert price < Q96 << 64
        wide = () if narrow else ((-2 * MAX_TICK, 2 * MAX_TICK, liquidity),)
        rows = (*wide, (-600, 600, liquidity))
        open_v3(
            chain.rpc,
            builder,
            world.market,
            world.uniswap_v3_factory,
            world.weth,
            [V3Depth(pair, leg[1], price, 1, rows)],
        )
        return
    venue, factory = factory_of(world, leg)
    chain.send(_call(factory, "createPair(address,address)", token.address, world.weth), builder)
    pair_at = pair_address(venue, factory, token.address, world.weth)
    chain.send(token.mint(pair_at, amount), builder)
    chain.send(weth.transfer(pair_at, DEPTH), builder)
    chain.send(_call(pair_at, "mint(address)", builder), builder)


def factory_of(world: World, leg: Leg) -> tuple[str, str]:
    """Name and factory of a V2 leg's venue."""
    return ("uniswap", world.uniswap_factory) if leg[0] == UNISWAP_V2 else ("sushiswap", world.sushiswap_factory)


def _call(to: str, signature: str, *arguments: object) -> Call:
    return Call(to, encode_call(signature, *arguments), signature, [])
