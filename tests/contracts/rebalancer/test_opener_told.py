"""What the opener does with odd answers and figures beyond its domain, and when a plan tells its bases."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from ballast.units import WAD
from tests.helpers.bench import (
    CONFIRMED,
    FROZEN,
    INCLUDED,
    KINDS,
    LEAVING,
    NEWCOMER,
    OUTSIDE,
    SUPPLY,
    Bench,
    confirmed,
    constituent,
)
from tests.helpers.contracts import Call
from tests.helpers.fund import EXECUTION
from tests.helpers.packed import kept, targets_of
from tests.helpers.reverts import assert_reverts
from tests.helpers.settling import usd

PRICES = [kind.price for kind in KINDS]
UNITS = [kind.target for kind in KINDS]
N = len(KINDS)


def refuses(bench: Bench, error: str, *args: int) -> None:
    """Start reverts with this error of the opener's, the preview too, and nothing is due."""
    for call in (bench.rebalancer.start(), bench.rebalancer.previewStart()):
        assert_reverts(bench.chain, call, error, *args, at=EXECUTION, of=bench.opener)
    assert bench.due(EXECUTION)[:2] == ("None", "Refused")


def now(bench: Bench, call: Call) -> None:
    """Sends it without moving the time."""
    bench.chain.send(call, bench.keeper, at=bench.chain.now())


def post_flags(bench: Bench, flags: Sequence[int], statuses: Sequence[int] = (INCLUDED,) * N) -> None:
    """Posts and determines KINDS' targets with these flags and statuses."""
    rows = zip(bench.tokens, UNITS, statuses, flags, strict=True)
    now(bench, bench.methodology.post([constituent(token, *rest, 0, 0) for token, *rest in rows]))
    bench.determine()


@pytest.mark.parametrize("by", [-1, 1, -N + 1])
def test_bases_of_another_length(bench: Bench, by: int) -> None:
    bench.determine()
    now(bench, bench.methodology.answer([1] * (N + by), []))
    refuses(bench, "WrongLength", N, N + by)


@pytest.mark.parametrize("by", [-1, 1, -N + 1])
def test_targets_of_another_length(bench: Bench, by: int) -> None:
    bench.determine()
    now(bench, bench.methodology.answer([], (UNITS + UNITS)[: N + by]))
    refuses(bench, "WrongLength", N, N + by)
    now(bench, bench.methodology.answer([], UNITS))
    assert bench.due(EXECUTION)[:2] == ("Start", "Due")


@pytest.mark.parametrize("by", [-1, 1, -N])
def test_prices_of_another_length(bench: Bench, by: int) -> None:
    bench.determine()
    # PUSH2 size, PUSH1 12, PUSH0, CODECOPY, PUSH2 size, PUSH0, RETURN: always the same list
    values = (PRICES + PRICES)[: N + by]
    data = b"".join(word.to_bytes(32, "big") for word in (32, len(values), *values))
    size = len(data).to_bytes(2, "big")
    code = b"\x61" + size + b"\x60\x0c\x5f\x39\x61" + size + b"\x5f\xf3" + data
    bench.chain.cheats.set_code(bench.oracle.address, code)
    refuses(bench, "WrongLength", N, N + by)


def test_an_oracle_that_answers_no_list(bench: Bench) -> None:
    bench.determine()
    bench.chain.cheats.set_code(bench.oracle.address, bytes.fromhex("60205ff3"))
    harness = bench.chain.artifact("ListsHarness")  # the error is the library's, and so in its ABI
    assert_reverts(bench.chain, bench.rebalancer.start(), "NoList", bench.oracle, at=EXECUTION, of=harness)
    assert bench.due(EXECUTION)[:2] == ("None", "Refused")


@pytest.mark.parametrize("i", [0, 1, 2])
def test_a_price_beyond_the_domain(bench: Bench, i: int) -> None:
    """2**100 is the first: the component is held as it is, the others go on without it. With one less it is the value
    of a share that decides."""
    bench.determine()
    for price in (2**100, 2**200, 2**256 - 1):
        bench.post_prices([price if k == i else p for k, p in enumerate(PRICES)])
        check_aside(bench, i)
    bench.post_prices([2**100 - 1 if k == i else p for k, p in enumerate(PRICES)])
    if usd(KINDS[i].unit, 2**100 - 1, KINDS[i].decimals) >= 2**98:
        check_aside(bench, i)
    else:
        plan = bench.chain.read(bench.rebalancer.previewStart(), at=EXECUTION)
        assert targets_of(plan.targets)[i].price == kept(2**100 - 1)


def check_aside(bench: Bench, i: int) -> None:
    """Component i is held as it is and outside NAV; all others are what they are without it."""
    plan = bench.chain.read(bench.rebalancer.previewStart(), at=EXECUTION)
    found = targets_of(plan.targets)
    assert (found[i].side, found[i].price) == (0, 0)
    assert [t.unit for k, t in enumerate(found) if k != i] == [u for k, u in enumerate(UNITS) if k != i]
    units = [balance * WAD // SUPPLY for balance in bench.holdings()]
    rows = [(u, p, k.decimals) for u, p, k in zip(units, PRICES, KINDS, strict=True)]
    assert plan.nav == sum(usd(*row) for k, row in enumerate(rows) if k != i)
    assert bench.due(EXECUTION)[:2] == ("Start", "Due")


def test_a_newcomer_with_a_price_beyond_the_domain_is_not_listed(bench: Bench) -> None:
    bench.determine()
    for price in (2**100, 2**256 - 1):
        bench.post_prices([price if k == NEWCOMER else p for k, p in enumerate(PRICES)])
        plan = bench.chain.read(bench.rebalancer.previewStart(), at=EXECUTION)
        assert (plan.changed, plan.list) == (False, [])


def hold(bench: Bench, i: int, balance: int) -> None:
    """Makes this the fund's balance of a component."""
    bench.give(i, bench.index, balance - bench.holdings()[i])


def test_a_unit_held_beyond_the_domain(bench: Bench) -> None:
    """2**119 token wei per share is the first; one less is packed whole."""
    bench.determine()
    bench.post_prices([1, *PRICES[1:]])  # so that it is not its value which is beyond
    beyond = 2**119 * SUPPLY // WAD
    hold(bench, 0, beyond - 1)
    plan = bench.chain.read(bench.rebalancer.previewStart(), at=EXECUTION)
    assert (plan.targets[0], targets_of(plan.targets)[5].unit) == (15, KINDS[5].target)
    assert targets_of(plan.targets)[0].side == 1
    now(bench, bench.tokens[0].mint(bench.index, 1))
    assert targets_of(bench.chain.read(bench.rebalancer.previewStart(), at=EXECUTION).targets)[0] == (0, 0, 0)
    check_aside(bench, 0)


def test_a_value_held_beyond_the_domain(bench: Bench) -> None:
    """2**98 USD-wei of a share is the first."""
    bench.determine()
    bench.post_prices([WAD, *PRICES[1:]])
    hold(bench, 0, (2**98 - 1) * SUPPLY // WAD)
    plan = bench.chain.read(bench.rebalancer.previewStart(), at=EXECUTION)
    assert plan.nav > 2**98 - 1 and targets_of(plan.targets)[0].side == 1
    hold(bench, 0, 2**98 * SUPPLY // WAD)
    check_aside(bench, 0)


@pytest.mark.parametrize("bits", [160, 238, 255])
def test_a_balance_beyond_the_domain(bench: Bench, bits: int) -> None:
    """Times 1e18 the second is a multiple of 2**256: a unit of 0, if nobody looked."""
    bench.determine()
    hold(bench, 0, 2**bits)
    check_aside(bench, 0)
    bench.start()


def test_a_target_beyond_the_domain(bench: Bench) -> None:
    """2**120 is the first, and of what is not set aside it refuses; below it the step of 10 % of NAV is what holds
    it."""
    bench.determine()
    for goal in (2**120, 2**256 - 1):
        now(bench, bench.methodology.answer([], [goal, *UNITS[1:]]))
        refuses(bench, "TooLarge")
    now(bench, bench.methodology.answer([], [2**120 - 1, *UNITS[1:]]))
    assert bench.due(EXECUTION)[:2] == ("Start", "Due")


def test_targets_that_are_all_beyond_the_domain(bench: Bench) -> None:
    """All are set aside, so that nothing is left to ask the methodology about."""
    bench.determine()
    now(bench, bench.methodology.answer([], [2**120] * N))
    refuses(bench, "NothingToWeigh")


@pytest.mark.parametrize("i", [0, NEWCOMER])
def test_a_price_so_low_that_the_target_does_not_fit(bench: Bench, i: int) -> None:
    """1 USD-wei for a whole token, or little more, asks for 2**120 token wei a share and more: that component is set
    aside, a newcomer not listed, and the others share its weight."""
    kinds = list(enumerate(zip(bench.tokens, KINDS, strict=True)))
    weights = [(token, WAD // N) for _, (token, _) in kinds]
    weights[-1] = (bench.tokens[-1], WAD - (N - 1) * (WAD // N))
    bench.set_limits(max_step=WAD)
    fixed = bench.chain.deploy("FixedWeight", bench.owner, weights, sender=bench.owner)
    bench.chain.send(bench.rebalancer.setMethodology(fixed), bench.owner)
    bench.determine()
    bench.post_prices([1 if k == i else p for k, p in enumerate(PRICES)])
    assert bench.due(EXECUTION)[:2] == ("Start", "Due")
    fits = 100 * WAD * 10 ** KINDS[i].decimals // N < 2**120
    plan = bench.chain.read(bench.rebalancer.previewStart(), at=EXECUTION)
    found = targets_of(plan.targets)
    if fits:
        assert len(found) == N and found[i].side == 2
        return
    assert len(found) == (N if KINDS[i].unit else N - 1)
    rest = [t for k, t in enumerate(found) if k != i or i == NEWCOMER]
    values = [
        usd(t.unit, t.price, k.decimals) for t, k in zip(rest, [k for j, k in enumerate(KINDS) if j != i], strict=True)
    ]
    assert max(values) - min(values) < max(values) // 100
    if i != NEWCOMER:
        assert found[i] == (0, KINDS[i].unit, 0)


def test_bases_are_told_only_if_one_was_read_again(bench: Bench) -> None:
    """Then all of them, each with its own flags."""
    post_flags(bench, [0, 1, 2, 4, 127, 0])
    assert bench.chain.read(bench.rebalancer.previewStart(), at=EXECUTION).basis == []
    snapshot = bench.chain.cheats.snapshot()
    (event,) = bench.rebalancer.events(bench.start(), "Started")
    assert event.basis == []
    bench.chain.cheats.revert(snapshot)

    bases = [flags << 88 | unit for unit, flags in zip(UNITS, [0, 1, 2, 4, 127, CONFIRMED], strict=True)]
    now(bench, bench.methodology.answer(bases, []))
    assert bench.chain.read(bench.rebalancer.previewStart(), at=EXECUTION).basis == bases
    (event,) = bench.rebalancer.events(bench.start(), "Started")
    assert event.basis == bases
    assert bases[5] == confirmed(UNITS[5])


@pytest.mark.parametrize("status", [FROZEN, LEAVING, OUTSIDE])
def test_what_is_not_included_tells_no_basis(bench: Bench, status: int) -> None:
    """Nobody reads it again, whatever its flag says."""
    post_flags(bench, [CONFIRMED, *[0] * (N - 1)], [status, *[INCLUDED] * (N - 1)])
    assert bench.chain.read(bench.rebalancer.previewStart(), at=EXECUTION).basis == []


def test_a_newcomer_that_is_dropped_again_changes_no_list(bench: Bench) -> None:
    """It comes onto the list and has no price: the list is neither in the plan nor written."""
    bench.determine()
    bench.post_prices([0 if i == NEWCOMER else price for i, price in enumerate(PRICES)])
    pointer = bench.chain.read(bench.index.componentsPointer())
    plan = bench.chain.read(bench.rebalancer.previewStart(), at=EXECUTION)
    assert (plan.changed, plan.list) == (False, [])
    assert [t.unit for t in targets_of(plan.targets)] == [u for i, u in enumerate(UNITS) if i != NEWCOMER]
    receipt = bench.start()
    assert not bench.index.events(receipt, "ComponentsSet")
    assert bench.chain.read(bench.index.componentsPointer()) == pointer
