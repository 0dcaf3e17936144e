"""Nobody with the keeper's key, no filler and no stranger can make the fund lose more than it allows."""

from __future__ import annotations

from typing import Any

import pytest
from eth_utils import keccak

from ballast.units import WAD
from lab.localnet.world import World
from tests.helpers.bench import BUYS, HELD, KINDS, LIMITS, SELLS, SUPPLY, TIMETABLE, Bench
from tests.helpers.contracts import Contract
from tests.helpers.filling import FILLER, batch, least_pays, order, paying, script, sells_worth, step, trade
from tests.helpers.fund import EXECUTION
from tests.helpers.reverts import assert_reverts, failure
from tests.helpers.settling import settle, total_value_at_start

T = EXECUTION + 1800


def refused(bench: Bench, given: Any, at: int = T) -> None:
    """The batch is worth nothing to the fund, and reverts for that."""
    least = assert_reverts(bench.chain, bench.rebalancer.trade(given), "BelowTolerance", sender=bench.keeper, at=at)
    assert least[0] == 0
    assert least[1] > 0


def test_a_filler_that_keeps_what_it_gets(trading: Bench) -> None:
    fund = trading.fund(T)
    refused(trading, order(trading, sells_worth(fund, fund.capacity), {1: 0, 3: 0, 5: 0}))


def test_a_filler_that_keeps_what_it_gets_has_no_use_for_small_batches(trading: Bench) -> None:
    for amount in (1, 19, 20, 10**6):
        refused(trading, order(trading, {0: amount}, {5: 0}))


@pytest.mark.parametrize(
    "wrong", ["held component", "sold component", "unnamed buy", "the fund's shares", "other token"]
)
def test_a_filler_that_pays_in_the_wrong_token(trading: Bench, wrong: str) -> None:
    sells, pays = batch(trading, T)
    worth = sum(pays[i] * KINDS[i].price // 10 ** KINDS[i].decimals for i in pays)
    if wrong == "the fund's shares":
        shares = SUPPLY // 10
        trading.chain.send(trading.index.transfer(trading.filler, shares), trading.holder, at=EXECUTION + 1)
        steps = [step(trading.index.transfer(trading.index, shares))]
    elif wrong == "other token":
        other = trading.chain.deploy("ReferenceToken", sender=trading.deployer)
        steps = [step(other.mint(trading.index, worth))]
    else:
        i = {"held component": HELD, "sold component": SELLS[0], "unnamed buy": BUYS[1]}[wrong]
        sells.pop(SELLS[0])
        steps = [step(trading.tokens[i].mint(trading.index, worth * 10 ** KINDS[i].decimals // KINDS[i].price))]
    refused(trading, order(trading, sells, {BUYS[0]: 0, BUYS[2]: 0}, steps=steps))


def test_a_filler_that_pays_elsewhere(trading: Bench) -> None:
    sells, pays = batch(trading, T)
    steps = [step(trading.tokens[i].mint(trading.rebalancer, amount)) for i, amount in pays.items()]
    refused(trading, order(trading, sells, dict.fromkeys(pays, 0), steps=steps))


def mutable(contract: Contract) -> list[dict[str, Any]]:
    """The functions of a contract that are not views."""
    return [
        dict(entry)
        for entry in contract.abi
        if entry["type"] == "function" and entry["stateMutability"] not in ("view", "pure")
    ]


HARMLESS = {
    "transfer",
    "transferFrom",
    "approve",
    "permit",
    "transferOwnership",
    "acceptOwnership",
    "renounceOwnership",
}
"""ERC-20 of the share and its owner's own affairs: they move no component and no limit."""
REBALANCER_ONLY = {"lock", "lockForTrading", "unlock", "settle", "setComponents", "setState"}


def entry_points(bench: Bench, contract: Contract) -> dict[str, tuple[str, bytes, bool]]:
    """A tolerated step for each function with power over the fund, with arguments that would do outside a batch."""
    tokens, nothing = list(bench.tokens), [0] * len(bench.tokens)
    arguments: dict[str, tuple[Any, ...]] = {
        "seed": ([], [], WAD, bench.filler),
        "mint": (1, bench.filler, tokens, [2**255] * len(tokens)),
        "mintWith": (1, bench.filler, b""),
        "redeem": (1, bench.filler, tokens, nothing, 0),
        "redeemTo": (1, bench.filler, tokens, nothing, [bench.filler] * len(tokens), 0),
        "setStreamingFee": (0,),
        "setFeeRecipient": (bench.filler,),
        "setSupplyCap": (10**9,),
        "settle": ([tokens[0]], [1], [bench.filler]),
        "setComponents": ([],),
        "setState": (tokens[HELD], 2**40 - 1, False),
        "trade": (order(bench, {0: 1}, {5: 10**18}),),
        "pauseFor": (60,),
        "suspend": (tokens[HELD],),
        "resume": (tokens[1],),
        "writeOff": (tokens[1],),
        "setGuardian": (bench.filler,),
        "setLimits": (LIMITS.as_tuple(), 0),
        "setTimetable": (TIMETABLE.as_tuple(),),
        "setMethodology": (bench.methodology,),
    }
    names = [entry["name"] for entry in mutable(contract) if entry["name"] not in HARMLESS]
    return {name: step(getattr(contract, name)(*arguments.get(name, ())), tolerated=True) for name in names}


def test_a_filler_that_calls_back_everything_it_can_reach(trading: Bench) -> None:
    """The filler is owner of both contracts and guardian, and still every entry point is shut during its fill."""
    chain, filler = trading.chain, trading.filler
    chain.send(trading.rebalancer.setGuardian(filler), trading.owner)
    for owned in (trading.rebalancer, trading.index):
        chain.send(owned.transferOwnership(filler), trading.owner)
        chain.send(filler.run([step(owned.acceptOwnership())]), trading.keeper)
    chain.send(trading.index.transfer(filler, WAD), trading.holder)
    on_index = entry_points(trading, trading.index)
    on_rebalancer = entry_points(trading, trading.rebalancer)
    assert len(on_index) == 15
    assert len(on_rebalancer) == 15

    sells, pays = batch(trading, T)
    given = order(trading, sells, pays, steps=[*on_index.values(), *on_rebalancer.values()])
    receipt = chain.send(trading.rebalancer.trade(given), trading.keeper, at=T)
    tried = filler.events(receipt, "Tried")
    names = [*on_index, *on_rebalancer]
    assert len(tried) == len(names)
    locked = keccak(text="Locked()")[:4]
    not_rebalancer = keccak(text="NotRebalancer(address)")[:4]
    trading_open = keccak(text="TradingOpen()")[:4]
    for name, event in zip(names, tried, strict=True):
        assert not event.succeeded, name
        if name in REBALANCER_ONLY:
            assert event.answer[:4] == not_rebalancer, name
        elif name in ("setLimits", "setTimetable", "setMethodology"):
            assert event.answer[:4] == trading_open, name
        else:
            assert event.answer[:4] == locked, name
    assert not chain.read(trading.index.locked())
    # The same calls outside the fill are not shut by the lock.
    for name in ("collectFee", "setSupplyCap", "redeem"):
        chain.send(filler.run([(*on_index[name][:2], False)]), trading.keeper, at=T)


def test_setters_during_a_fill_between_months_cannot_happen(trading: Bench) -> None:
    """All setters are either shut while trading or locked: no function of the rebalancer is left unlisted."""
    names = {entry["name"] for entry in mutable(trading.rebalancer)}
    known = {"determine", "start", "trade", "close", "veto", "endMonth", "pauseFor", "unpause"}
    known |= {"suspend", "resume", "writeOff"}
    assert names - known - HARMLESS == {"setGuardian", "setLimits", "setTimetable", "setMethodology"}


@pytest.mark.parametrize(
    "who",
    ["sold component", "bought component", "WETH", "index token", "rebalancer", "account", "nobody", "precompile"],
)
def test_an_address_that_is_no_filler(trading: Bench, world: World, who: str) -> None:
    fillers = {
        "sold component": trading.tokens[SELLS[0]].address,
        "bought component": trading.tokens[BUYS[0]].address,
        "WETH": world.weth,
        "index token": trading.index.address,
        "rebalancer": trading.rebalancer.address,
        "account": trading.keeper,
        "nobody": "0x" + "00" * 20,
        "precompile": "0x" + "00" * 19 + "04",
    }
    sells, _ = batch(trading, T)
    pays = dict.fromkeys(BUYS, 0)
    given = order(trading, sells, pays, filler=fillers[who])
    if who == "WETH":
        refused(trading, given)  # its fallback takes any call
        return
    data = failure(trading.chain, trading.rebalancer.trade(given), sender=trading.keeper, at=T)
    assert data == b""


def test_nobody_but_the_rebalancer_moves_components(trading: Bench, stranger: str) -> None:
    chain, index = trading.chain, trading.index
    settling = index.settle([trading.tokens[0]], [1], [stranger])
    for call in (index.lock(), index.unlock(), settling, index.setComponents([])):
        for account in (stranger, trading.owner, trading.guardian, trading.keeper):
            assert_reverts(chain, call, "NotRebalancer", account, sender=account, at=T)
    chain.impersonate(trading.rebalancer)
    assert_reverts(chain, settling, "NotLocked", sender=trading.rebalancer.address, at=T)
    assert_reverts(chain, index.setComponents([]), "NotLocked", sender=trading.rebalancer.address, at=T)


def test_dust_batches_do_not_burn_the_bucket(trading: Bench) -> None:
    """25 batches of the smallest value, then an honest one of the full cap at the same moment."""
    before = trading.fund(T)
    for _ in range(25):
        fund = trading.fund(T)
        trade(trading, {0: 1}, least_pays(fund, T, {0: 1}), T)
    after = trading.fund(T)
    assert after.capacity == before.capacity == LIMITS.batch_cap
    assert 0 <= before.tolerance - after.tolerance < 10**10
    sells, pays = batch(trading, T)
    result = trade(trading, sells, pays, T)
    assert result.valueOut * WAD // total_value_at_start(after) > LIMITS.batch_cap * 999 // 1000


def test_a_flash_mint_around_a_trade(trading: Bench) -> None:
    """Mint a hundred times the fund, trade at the worst price, redeem, in one transaction: a share loses what it
    would lose without."""
    chain, filler = trading.chain, trading.filler
    before = trading.value_per_share()

    snapshot = chain.cheats.snapshot()
    sells, pays = batch(trading, T)
    trade(trading, sells, pays, T)
    plain = before - trading.value_per_share()
    chain.cheats.revert(snapshot)

    shares = 100 * SUPPLY
    tokens, amounts, _ = chain.read(trading.index.previewMint(shares), at=T)
    for token, amount in zip(tokens, amounts, strict=True):
        erc20 = chain.at("ReferenceToken", token)
        chain.send(erc20.mint(filler, amount), trading.keeper, at=EXECUTION)
        chain.send(filler.run([step(erc20.approve(trading.index, amount))]), trading.keeper, at=EXECUTION)
    # What the fund will look like inside, to know how much the attacker may take.
    snapshot = chain.cheats.snapshot()
    mint = step(trading.index.mint(shares, filler, tokens, amounts))
    chain.send(filler.run([mint]), trading.keeper, at=T)
    fund = trading.fund(T)
    huge = sells_worth(fund, fund.capacity)
    pays = least_pays(fund, T, huge)
    assert sum(huge.values()) > 90 * sum(sells.values())
    chain.cheats.revert(snapshot)

    dealing = step(trading.rebalancer.trade(order(trading, huge, pays)))
    leaving = step(trading.index.redeem(shares, filler, tokens, [0] * len(tokens), 0))
    chain.send(filler.run([mint, dealing, leaving]), trading.keeper, at=T)
    assert chain.read(trading.index.totalSupply()) - chain.read(trading.index.pendingFee()) == SUPPLY
    loss = before - trading.value_per_share()
    assert loss <= plain + plain // 10**6
    assert loss <= before * (LIMITS.batch_cap * LIMITS.last_tolerance // WAD) // WAD


def test_a_flash_mint_does_not_widen_the_cap(trading: Bench) -> None:
    """The value that one moment can move stays the cap's share of NAV, whatever the supply."""
    before = trading.fund(T).progress
    trading.mint(100 * SUPPLY, trading.holder, at=T)
    sells, pays = batch(trading, T)
    trade(trading, sells, pays, T)
    trading.redeem(100 * SUPPLY, trading.holder, at=T)
    fund = trading.fund(T)
    assert 1199 < fund.idle <= 1200
    assert before.surplus - LIMITS.batch_cap <= fund.progress.surplus < before.surplus - LIMITS.batch_cap * 99 // 100
    assert 0 < fund.progress.spent <= LIMITS.batch_cap * LIMITS.last_tolerance // WAD


def test_lists_that_would_count_twice(trading: Bench) -> None:
    """The same buy twice, a sell again after another one, or a token on both sides."""
    pays = script(paying(trading, {5: 10**18}))
    for sells, buys, error in (
        ([0, 2, 0], [5], "IndexesNotAscending"),
        ([0], [5, 5], "IndexesNotAscending"),
        ([2, 0], [5], "IndexesNotAscending"),
        ([0], [5, 3], "IndexesNotAscending"),
        ([0], [0], "WrongSide"),
        ([5], [5], "WrongSide"),
        ([0, HELD], [5], "WrongSide"),
        ([0], [len(KINDS)], "UnknownIndex"),
    ):
        given = (sells, [10**15] * len(sells), [FILLER] * len(sells), buys, 0, trading.filler, pays)
        assert_reverts(trading.chain, trading.rebalancer.trade(given), error, sender=trading.keeper, at=T)


def test_a_filler_that_mints_the_fund_s_shares_for_its_loot(trading: Bench) -> None:
    """Between two batches everything is open, and the loot of the first buys shares at their true worth."""
    sells, pays = batch(trading, T)
    before = trading.value_per_share()
    trade(trading, sells, pays, T)
    after = trading.value_per_share()
    trading.mint(SUPPLY, trading.keeper, at=T)
    trading.redeem(SUPPLY, trading.keeper, at=T)
    assert trading.value_per_share() >= after
    lost = settle(trading.fund(T), T, {}, {}).error
    assert lost == ("NothingSold",)
    assert (before - after) * WAD // before <= LIMITS.batch_cap * LIMITS.last_tolerance // WAD
