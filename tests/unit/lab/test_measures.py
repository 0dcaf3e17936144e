"""Reference arithmetic, calendar and measures against the published figures and cases worked out by hand."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from eth_abi import encode
from eth_utils import to_checksum_address
from hexbytes import HexBytes

from ballast.build import ROOT
from ballast.rule import packed
from ballast.rule.arithmetic import (
    ArithmeticDomainError,
    Flow,
    Position,
    PricedComponent,
    SwapInput,
    cost_of,
    execution_time,
    fixed_weight_units,
    market_cap_units,
    month_at,
    nav_of,
    period_start,
    residual,
    weights_of,
    worst_short,
)
from ballast.units import BLOCK_S, DAY_S, WAD
from keeper.ops.pulse import Pulse
from lab.localnet.market import PoolState
from lab.localnet.month_file import load_month
from lab.localnet.world import V3Pool
from lab.replay.measure import SWAP, TRANSFER, V3_SWAP, net_transfers, swaps_in, target_units, v3_swaps_in
from lab.testbed.clock import LOOK_EVERY_S, next_look, next_rest
from lab.testbed.keepers import KeeperProcess

MONTHS = sorted((ROOT / "data" / "months").glob("*.json"))


def usd(text: int) -> int:
    return text * WAD


@pytest.mark.parametrize("path", MONTHS, ids=lambda path: path.stem)
def test_published_targets_to_the_wei(path: Any) -> None:
    month = load_month(path)
    lines = [
        PricedComponent(c.supply or c.weight or 0, c.current_unit, c.price_usd, c.decimals) for c in month.components
    ]
    units = fixed_weight_units(lines) if month.cap == "fixed" else market_cap_units(lines, month.cap_weight)
    assert units == [component.published_target_unit for component in month.components]


def test_there_are_five_published_months() -> None:
    assert len(MONTHS) == 5


def test_market_cap_by_hand() -> None:
    """NAV 1 x 10 + 2 x 5 = 20; market caps 300 and 100; so 3/4 and 1/4 of 20 USD."""
    lines = [PricedComponent(30, WAD, usd(10), 18), PricedComponent(20, 2 * WAD, usd(5), 18)]
    assert market_cap_units(lines) == [15 * WAD // 10, WAD]
    # capped at 60 %: 12 USD of the first; the other gets what is left
    assert market_cap_units(lines, 6 * WAD // 10) == [12 * WAD // 10, 16 * WAD // 10]


def test_market_cap_with_decimals_and_leavers() -> None:
    lines = [
        PricedComponent(30, 10**6, usd(10), 6),
        PricedComponent(0, 2 * WAD, usd(5), 18),
        PricedComponent(30, 0, 0, 18),
    ]
    # the second leaves, the third has no price: all of 20 USD in the first
    assert market_cap_units(lines) == [2 * 10**6, 0, 0]


def test_all_capped_means_equal_weights() -> None:
    lines = [PricedComponent(100, WAD, usd(10), 18), PricedComponent(100, WAD, usd(10), 18)]
    assert market_cap_units(lines, WAD // 4) == [WAD, WAD]


@pytest.mark.parametrize(
    ("lines", "word"),
    [
        ([PricedComponent(1, 0, usd(1), 18)], "nav"),
        ([PricedComponent(1, 10 * WAD, usd(1), 18)], "divisor"),
    ],
)
def test_outside_the_domain(lines: list[PricedComponent], word: str) -> None:
    with pytest.raises(ArithmeticDomainError, match=word):
        market_cap_units(lines)


def test_weights_that_sum_above_one_share_nothing() -> None:
    """NAV 10, market caps 10, 3 and 6: their quotient 1.9 rounds to 1, so weights are 1, 0.3 and 0.6; capped 1.7."""
    lines = [
        PricedComponent(10, 10 * WAD, usd(1), 18),
        PricedComponent(3, 0, usd(1), 18),
        PricedComponent(6, 0, usd(1), 18),
    ]
    assert market_cap_units(lines, 8 * WAD // 10) == [8 * WAD, 3 * WAD, 6 * WAD]


def test_fixed_weights_by_hand() -> None:
    lines = [PricedComponent(WAD // 4, 2 * WAD, usd(10), 18), PricedComponent(3 * WAD // 4, 4 * 10**8, usd(5), 8)]
    assert fixed_weight_units(lines) == [WAD, 6 * 10**8]
    # Rounded weights within 0.01 % of 1 count as they are, those further off are scaled.
    rounded = [PricedComponent(WAD // 2 + off, 100 * WAD, WAD, 18) for off in (0, WAD // 10_000)]
    assert fixed_weight_units(rounded) == [100 * WAD, 100 * WAD + 2 * 10**16]
    further = [PricedComponent(WAD // 2 + off, 100 * WAD, WAD, 18) for off in (0, WAD // 10_000 + 1)]
    assert sum(fixed_weight_units(further)) <= 200 * WAD
    # without a price for the first, the second has all of its own 20 USD
    dead = [PricedComponent(WAD // 4, 2 * WAD, 0, 18), lines[1]]
    assert fixed_weight_units(dead) == [0, 4 * 10**8]


def test_calendar() -> None:
    april = 2021 * 12 + 3

    def time(year: int, month: int, day: int) -> int:
        return int(datetime(year, month, day, tzinfo=UTC).timestamp())

    assert period_start(april, 7 * DAY_S) == time(2021, 3, 25)
    assert month_at(time(2021, 4, 1)) == april
    assert month_at(time(2021, 4, 1) - 1) == april - 1
    assert month_at(time(2022, 1, 1)) == 2022 * 12
    assert execution_time(april) == time(2021, 4, 1)  # a Thursday
    assert execution_time(april + 1) == time(2021, 5, 3)  # the 1st is a Saturday
    assert execution_time(2021 * 12 + 7) == time(2021, 8, 2)  # the 1st is a Sunday
    assert execution_time(2024 * 12 + 2, "last_day") == time(2024, 2, 29)
    assert execution_time(2100 * 12 + 2, "last_day") == time(2100, 2, 28)
    assert execution_time(april, "fixed_day", 15) == time(2021, 4, 15)


A, B, W = (str(to_checksum_address("0x" + digit * 40)) for digit in ("a", "b", "c"))
PRICES = {A: usd(2), B: usd(10), W: usd(1_000)}
DECIMALS = {A: 18, B: 8, W: 18}


def test_cost_by_hand() -> None:
    """100 A (200 USD) for 19.8 B (198 USD), through 0.199 WETH (199 USD)."""
    flow = Flow(
        sold={A: 100 * WAD},
        bought={B: 198 * 10**7},
        swaps=(SwapInput(A, 100 * WAD), SwapInput(W, 199 * WAD // 1000)),
    )
    cost = cost_of([flow], PRICES, DECIMALS)
    assert cost.turnover == usd(200)
    assert cost.cost == usd(2)
    assert cost.fees == 200 * WAD * 3 // 1000 + 199 * WAD * 3 // 1000  # 0.6 + 0.597 USD
    assert cost.impact == usd(2) - 1197 * WAD // 1000
    both = cost_of([flow, flow], PRICES, DECIMALS)
    assert (both.turnover, both.cost, both.fees) == (2 * cost.turnover, 2 * cost.cost, 2 * cost.fees)


def test_a_gain_is_a_negative_cost() -> None:
    cost = cost_of([Flow(sold={A: WAD}, bought={B: 10**8})], PRICES, DECIMALS)
    assert cost.cost == -usd(8)
    assert cost.impact == -usd(8)


def test_residual_and_short_by_hand() -> None:
    """NAV 60 + 39 + 1 = 100 USD; misses of 0, 1 and 1 USD."""
    positions = [
        Position(30 * WAD, 30 * WAD, usd(2), 18),
        Position(390_000_000, 400_000_000, usd(10), 8),
        Position(2 * WAD, 0, WAD // 2, 18),
    ]
    assert nav_of(positions) == usd(100)
    assert residual(positions) == 2 * WAD // 100
    assert worst_short(positions) == WAD // 40
    assert weights_of(positions) == [60 * WAD // 100, 39 * WAD // 100, WAD // 100]


def test_nothing_is_short_where_all_is_above() -> None:
    assert worst_short([Position(5, 4, usd(1), 18), Position(1, 0, usd(1), 18)]) == 0


def log(address: str, topics: list[bytes], data: bytes) -> Any:
    return {"address": address, "topics": [HexBytes(topic) for topic in topics], "data": HexBytes(data)}


def padded(address: str) -> bytes:
    return bytes(12) + bytes.fromhex(address[2:])


def test_transfers_are_netted() -> None:
    def move(token: str, sender: str, receiver: str, amount: int) -> Any:
        return log(token, [TRANSFER, padded(sender), padded(receiver)], encode(["uint256"], [amount]))

    logs = [move(A, W, B, 70), move(A, B, W, 20), move(B, A, W, 5), move(A, A, B, 9)]
    assert net_transfers(logs, W) == {A: -50, B: 5}


def test_swaps_count_what_goes_in() -> None:
    def swap(pair: str, *amounts: int) -> Any:
        return log(pair, [SWAP, padded(A), padded(A)], encode(["uint256"] * 4, amounts))

    logs = [swap(W, 10, 0, 0, 7), swap(W, 0, 4, 5, 0), swap(A, 1, 0, 0, 1)]
    assert swaps_in(logs, {W: (A, B)}) == (SwapInput(A, 10), SwapInput(B, 4))


def test_swaps_in_v3_pools_keep_the_fee_of_their_tier() -> None:
    def swap(pool: str, *amounts: int) -> Any:
        return log(pool, [V3_SWAP, padded(A), padded(A)], encode(["int256"] * 5, [*amounts, 1, 1, 0]))

    logs = [swap(W, 10**6, -7), swap(W, -3, 10**7), swap(A, 1, -1), log(W, [SWAP], encode(["uint256"] * 4, [1] * 4))]
    swaps = v3_swaps_in(logs, [V3Pool(W, (A, B), 500)])
    assert swaps == (SwapInput(A, 10**6, 500), SwapInput(B, 10**7, 500))
    cost = cost_of([Flow({}, {}, swaps)], {A: WAD, B: 2 * WAD}, {A: 0, B: 0})
    assert cost.fees == 500 * WAD + 10_000 * WAD


@pytest.mark.parametrize("width", [1, 8, 15])
def test_targets_from_their_bytes(width: int) -> None:
    """A byte says how wide units are; side, shift and price stand before each."""
    most = 256**width - 1
    heads = [1 << 30 | 2**30 - 1, 2 << 30, 5]
    units = [7, most, 0]
    rows = [head.to_bytes(4, "big") + unit.to_bytes(width, "big") for head, unit in zip(heads, units, strict=True)]
    code = bytes([0, width]) + b"".join(rows)
    assert target_units(code, [A, B, W]) == {A: 7, B: most, W: 0}
    assert [(t.side, t.price) for t in packed.targets(code[1:])] == [(1, (2**25 - 1) << 124), (2, 0), (0, 5)]
    with pytest.raises(ValueError, match="longer"):
        target_units(code, [A, B])


def pool(touched: int, weth: int) -> PoolState:
    return PoolState("A", "uniswap", A, 1_000_000, weth, touched, 1, 1)


def test_the_next_rest_is_that_of_a_moved_pool() -> None:
    pools = (pool(100, 1_000_000), pool(300, 999_000), pool(200, 1_001_000))
    assert next_rest(pools, 250) == 800
    assert next_rest(pools, 800) == 900
    assert next_rest(pools[:1], 250) is None


def test_time_goes_to_what_comes_first() -> None:
    assert next_look(1_000, 1_300, None) == 1_300
    assert next_look(1_000, 1_300, 1_200) == 1_200
    assert next_look(1_000, None, None) == 1_000 + LOOK_EVERY_S
    assert next_look(1_000, 5_000, 6_000) == 1_000 + LOOK_EVERY_S
    assert next_look(1_000, 900, 1_500) == 1_000 + BLOCK_S


def test_a_process_pulse_is_what_the_keeper_wrote(tmp_path: Path) -> None:
    process = KeeperProcess(tmp_path, tmp_path / "log", {})
    assert process.pulse() is None
    written = Pulse(7, 100, "trade", "due", 200, None, ("0x1",), "sent")
    written.write(process.pulse_path)
    assert process.pulse() == written
