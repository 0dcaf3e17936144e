"""Runs a published month through Set Protocol V2, traded as its funds' traders did.

Sells first, then buys with the WETH; one component a transaction, as soon as its own cool-off is over; slices and
venues as published. A buy that the remaining WETH cannot pay for is skipped; WETH left in the end goes into components
that are still short, where the module allows it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from ballast.rule.arithmetic import Cost, execution_time, usd
from ballast.units import BLOCK_S, WAD
from lab.bench.month_bench import MonthBench, slice_of
from lab.bench.set_protocol import ADAPTER, Protocol, deploy
from lab.localnet.month_file import MonthComponent
from lab.localnet.rpc import RpcError, read
from lab.replay.measure import Component, MonthOutcome

ADAPTERS = {"uniswap": ADAPTER, "sushiswap": "SushiswapIndexExchangeAdapter"}
AT_TARGET = "Target already met"
NO_LIMIT = 2**128 - 1
PREVIOUS = (99, 100)
"""Last month's sizes and targets as a fraction of this month's: overwriting a value costs less than the first write."""


@dataclass
class SetMonth:
    """A SetToken in the published state of a month, and the transactions sent for it."""

    bench: MonthBench
    protocol: Protocol
    manager: str
    gas: int = 0
    sent: list[str] = field(default_factory=list)
    traded_at: dict[str, int] = field(default_factory=dict)

    @property
    def components(self) -> tuple[MonthComponent, ...]:
        return self.bench.month.components

    def send(self, function: str, *args: object) -> None:
        """Sends a transaction of the manager to the index module within this time step."""
        self.bench.in_this_step()
        token = self.protocol.token.address
        self.gas += self.protocol.index.send_listed(self.manager, function, token, *args)
        self.sent.append(self.bench.chain.sent)

    def next_trade(self, component: MonthComponent) -> tuple[bool, int]:
        """Whether the module would sell the component, and how much it would sell or buy: token wei, 0 at target."""
        view = self.protocol.index.read
        try:
            found = view("getComponentTradeQuantityAndDirection", self.protocol.token.address, component.address)
        except RpcError as error:
            if AT_TARGET not in str(error):
                raise
            return False, 0
        return bool(found[0]), int(found[1])

    def due_at(self, component: MonthComponent) -> int:
        """When the component's cool-off is over."""
        return self.traded_at.get(component.address, 0) + component.cool_off_s


def carry(bench: MonthBench, say: Callable[[str], None]) -> MonthOutcome:
    """Runs the whole month and measures it."""
    run = _prepare(bench)
    year, number = bench.month.period
    bench.step_to(execution_time(year * 12 + number - 1))
    before = bench.balances(run.protocol.token.address)
    started_at = bench.clock.now()
    run.send("setTradeMaximums", *_columns(run, slice_of))
    _start(run, lambda component: component.published_target_unit)
    bench.step_to(started_at + BLOCK_S)
    _trade(run, say, selling=True)
    _trade(run, say, selling=False)
    while _spend_rest(run):
        pass
    return _measure(run, before, started_at)


def _prepare(bench: MonthBench) -> SetMonth:
    """Deploys the SetToken with the published units and supply, trading as the previous month left it."""
    chain, world, month = bench.chain, bench.world, bench.month
    manager = chain.account("set-manager")
    routers = {name: world.router(venue) for venue, name in ADAPTERS.items()}
    held = {c.address: c.current_unit for c in month.components if c.current_unit}
    protocol = deploy(chain, manager, world.weth, routers, held, fee=0)
    run = SetMonth(bench, protocol, manager)
    for token, unit in held.items():
        amount = -(-unit * month.total_supply // WAD)
        bench.give(token, manager, amount)
        chain.at("BenchToken", token).send(manager, "approve", protocol.issuance.address, amount)
    protocol.issuance.send(manager, "issue", protocol.token.address, month.total_supply, manager)
    run.send("setTraderStatus", [manager], [True])
    run.send("setExchanges", *_columns(run, lambda c: ADAPTERS[bench.pool(c).venue]))
    run.send("setCoolOffPeriods", *_columns(run, lambda c: c.cool_off_s))
    run.send("setTradeMaximums", *_columns(run, lambda c: slice_of(c) * PREVIOUS[0] // PREVIOUS[1]))
    _start(run, lambda c: c.current_unit * PREVIOUS[0] // PREVIOUS[1], newcomers=False)
    run.gas = 0
    run.sent.clear()
    return run


def _columns(run: SetMonth, value: Callable[[MonthComponent], object]) -> tuple[list[str], list[object]]:
    return [component.address for component in run.components], [value(component) for component in run.components]


def _start(run: SetMonth, unit_of: Callable[[MonthComponent], int], *, newcomers: bool = True) -> None:
    """Calls startRebalance with the units of newcomers and of what is held, the latter in the SetToken's order."""
    by_token = {component.address: component for component in run.components}
    held = list(run.protocol.token.read("getComponents"))
    new = [c for c in run.components if c.current_unit == 0] if newcomers else []
    multiplier = run.protocol.token.read("positionMultiplier")
    units = [_unit(by_token, token, unit_of) for token in held]
    run.send("startRebalance", [c.address for c in new], [unit_of(c) for c in new], units, multiplier)


def _unit(by_token: Mapping[str, MonthComponent], token: str, unit_of: Callable[[MonthComponent], int]) -> int:
    return unit_of(next(c for address, c in by_token.items() if address.lower() == token.lower()))


def _trade(run: SetMonth, say: Callable[[str], None], *, selling: bool) -> None:
    """Trades one side slice by slice until nothing more of it can be traded."""
    while True:
        now = run.bench.clock.now()
        for component in _tradable(run, selling=selling):
            if run.due_at(component) <= now and (selling or _affordable(run, component)):
                run.send("trade", component.address, 1 if selling else NO_LIMIT)
                run.traded_at[component.address] = now
        later = [due for c in _tradable(run, selling=selling) if (due := run.due_at(c)) > now]
        if not later:
            return
        say(f"Set Protocol V2: {len(run.sent)} transactions")
        run.bench.step_to(min(later))


def _tradable(run: SetMonth, *, selling: bool) -> list[MonthComponent]:
    """Components off target on that side."""
    return [c for c in run.components if _amount(run, c, selling=selling)]


def _amount(run: SetMonth, component: MonthComponent, *, selling: bool) -> int:
    """Token wei that the component's next trade on that side would move."""
    sells, amount = run.next_trade(component)
    return amount if sells == selling else 0


def _affordable(run: SetMonth, component: MonthComponent) -> bool:
    """Whether the remaining WETH pays for the component's next buy at its venue."""
    amount = _amount(run, component, selling=False)
    world = run.bench.world
    router = world.router(run.bench.pool(component).venue)
    path = [world.weth, component.address]
    view = "getAmountsIn(uint256,address[])"
    try:
        (amounts,) = read(run.bench.chain.rpc, router, view, ["uint256[]"], amount, path)
    except RpcError:
        return False  # more than the pool has
    return int(amounts[0]) <= run.bench.balance(world.weth, run.protocol.token.address)


def _spend_rest(run: SetMonth) -> bool:
    """Spends the remaining WETH on the component that lacks most among those that the module allows; whether it did."""
    bench, prices = run.bench, run.bench.world.prices
    lacks = {c: usd(amount, prices[c.address], c.decimals) for c in run.components if (amount := _lack(run, c)) > 0}
    for component in sorted(lacks, key=lambda c: -lacks[c]):
        if run.due_at(component) > bench.clock.now():
            bench.step_to(run.due_at(component))
        data = run.protocol.index.data("tradeRemainingWETH", run.protocol.token.address, component.address, 1)
        request = {"from": run.manager, "to": run.protocol.index.address, "data": data}
        try:
            bench.chain.rpc.request("eth_call", request, "latest")
        except RpcError:
            continue
        run.send("tradeRemainingWETH", component.address, 1)
        run.traded_at[component.address] = bench.clock.now()
        return True
    return False


def _lack(run: SetMonth, component: MonthComponent) -> int:
    """Token wei below target."""
    target = component.published_target_unit * run.bench.month.total_supply // WAD
    return target - run.bench.balance(component.address, run.protocol.token.address)


def _measure(run: SetMonth, before: Mapping[str, int], started_at: int) -> MonthOutcome:
    bench = run.bench
    holder, supply, month = run.protocol.token.address, bench.month.total_supply, bench.month
    after = bench.balances(holder)
    cost: Cost = bench.cost(run.sent, holder)
    components = [
        Component(
            symbol=c.symbol,
            token=c.address,
            decimals=c.decimals,
            price=c.price_usd,
            before=before[c.address] * WAD // supply,
            target=c.published_target_unit,
            published=c.published_target_unit,
            after=after[c.address] * WAD // supply,
        )
        for c in month.components
    ]
    weth = bench.world.weth
    components.append(Component("WETH", weth, 18, month.weth_price_usd, 0, 0, 0, after[weth] * WAD // supply))
    return MonthOutcome(
        label=month.label,
        components=tuple(components),
        batches=len(run.sent) - 2,
        transactions=len(run.sent),
        gas=run.gas,
        started_at=started_at,
        ended_at=max(run.traded_at.values()),
        cost=cost,
        nav_before=bench.nav(before),
        nav_after=bench.nav(after),
        tolerances=(),
    )
