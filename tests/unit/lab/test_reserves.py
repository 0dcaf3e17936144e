"""Pools of a month from reserves files."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from ballast.units import WAD
from lab.localnet.errors import ReservesError
from lab.localnet.month_file import Month, load_month
from lab.localnet.reserves import MonthPools, PoolDepth, load_reserves, parse_reserves, pools_of
from lab.localnet.v3 import COLUMNS, assumed, parse_positions, v3_pools_of
from lab.localnet.world import World

DATA = Path(__file__).resolve().parents[3] / "data"
HEADER = "date,observed_at_utc,venue,token,token_address,pair_address,token_reserve,weth_reserve"
YFI = "0x0bc529c00C6401aEF6D220BE8C6Ea1667F6Ad93e"


def month_of(label: str = "dpi-2021-04") -> Month:
    return load_month(DATA / "months" / f"{label}.json")


def pools(month: Month, *rows: str) -> MonthPools:
    return pools_of(month, parse_reserves([HEADER, *rows]))


def row(day: str, weth: str, venue: str = "uniswapv2", address: str = YFI, symbol: str = "YFI") -> str:
    return f"{day},{day} 22:00:00,{venue},{symbol},{address},,1,{weth}"


def of(found: MonthPools, address: str) -> list[PoolDepth]:
    return [pool for pool in found.pools if pool.token == address]


@pytest.mark.parametrize(
    ("label", "day", "count", "derived"),
    [
        ("dpi-2021-02", date(2021, 2, 1), 17, {"KNC", "BAL", "MTA"}),
        ("dpi-2021-03", date(2021, 3, 1), 19, {"KNC", "BAL", "MTA"}),
        ("dpi-2021-04", date(2021, 4, 1), 21, {"KNC", "BAL", "MTA"}),
        ("dpi-2021-07", date(2021, 7, 1), 21, {"KNC", "BAL", "MTA"}),
    ],
)
def test_published_months(label: str, day: date, count: int, derived: set[str]) -> None:
    month = month_of(label)
    found = pools_of(month, load_reserves(DATA / "reserves" / "v2_pairs_months.csv"))
    assert found.wanted == found.day == day
    symbols = {component.address: component.symbol for component in month.components}
    assert {symbols[pool.token] for pool in found.pools if not pool.observed} == derived
    assert len(found.pools) == count
    prices = {component.address: component for component in month.components}
    for pool in found.pools:
        component = prices[pool.token]
        mid = pool.weth_wei * month.weth_price_usd * 10**component.decimals / (pool.token_wei * WAD)
        assert mid == pytest.approx(component.price_usd, rel=1e-12)


def test_the_weth_side_is_the_depth_and_the_token_side_follows_the_price() -> None:
    month = month_of()
    (pool,) = of(pools(month, row("2021-04-01", "50414.4702700000000000019")), YFI)
    assert (pool.venue, pool.observed, pool.weth_wei) == ("uniswap", True, 50414_470270000000000001)
    assert pool.token_wei == 50414_470270000000000001 * 1942_510000000000000000 // 36791_000000000000000000


def test_small_decimals_and_slices() -> None:
    found = pools_of(month_of("mvi-2021-05"), [])
    assert len(found.pools) == 15 and found.day is None
    assert found.note == "no reserves on or before 2021-05-03: all 15 pools as deep as the published slices say"
    waxe = month_of("mvi-2021-05").component("WAXE")
    (pool,) = of(found, waxe.address)
    assert pool.token_wei == 200 * 155 * 10**8  # slices are in 18 decimals, WAXE in 8
    assert pool.weth_wei == 200 * 155 * 216_090000000000000000 * WAD // 3168_430000000000000000


def test_balancer_slices_go_to_uniswap_and_sushi_stays() -> None:
    month = month_of()
    found = pools_of(month, [])
    for symbol, venue in (("BAL", "uniswap"), ("KNC", "uniswap"), ("YFI", "sushiswap"), ("MKR", "uniswap")):
        component = month.component(symbol)
        assert [pool.venue for pool in of(found, component.address)] == [venue], symbol


WETH = "0xC02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc2"


def test_v3_is_assumed_as_deep_as_the_deepest_pair() -> None:
    month = month_of("dpi-2021-07")
    uni = month.component("UNI").address
    depths = pools(
        month, row("2021-07-01", "100", address=uni), row("2021-07-01", "70", "sushiswap", address=uni)
    ).pools
    (found,) = assumed(month, depths, (), WETH)
    assert (found.token, found.other, found.fee, found.depth_wei) == (uni, None, 3_000, 100 * WAD)
    (pool,) = v3_pools_of(month, [found], WETH)
    ((lower, upper, liquidity),) = pool.positions
    assert (lower, upper) == (-2 * 887_272, 2 * 887_272)
    # Virtual reserves: L / sqrt(P) of UNI, L sqrt(P) of WETH, which are 100 WETH and as much in UNI.
    root = pool.sqrt_price / 2**96
    assert liquidity * root == pytest.approx(100 * WAD, rel=1e-9)
    assert liquidity / root == pytest.approx(100 * WAD * month.weth_price_usd / month.component("UNI").price_usd)


@pytest.mark.parametrize(("other", "count"), [("", 0), (WETH, 0), (YFI, 1)])
def test_v3_is_assumed_only_where_no_position_is_given(other: str, count: int) -> None:
    month = month_of("dpi-2021-07")
    lines = [",".join(COLUMNS), f"{month.component('UNI').address},{other},500,,,5"]
    given = tuple(parse_positions(lines))
    assert len(assumed(month, pools(month).pools, given, WETH)) == count
    assert assumed(month_of(), pools(month_of()).pools, (), WETH) == ()


def test_the_nearest_earlier_day_serves() -> None:
    rows = [row("2021-03-29", "1"), row("2021-03-31", "2"), row("2021-04-02", "3"), row("2021-03-31", "4", "sushiswap")]
    found = pools(month_of(), *rows)
    assert found.day == date(2021, 3, 31)
    assert [(pool.venue, pool.weth_wei) for pool in of(found, YFI)] == [("sushiswap", 4 * WAD), ("uniswap", 2 * WAD)]
    assert found.note.startswith("reserves of 2021-03-31 (none for 2021-04-01) in 2 pools, 13 pools")


def test_tokens_are_joined_by_address_not_by_symbol() -> None:
    new_knc = "0xdeFA4e8a7bcBA345F687a2f1456F5Edd9CE97202"
    month = month_of()
    found = pools(month, row("2021-04-01", "999", address=new_knc, symbol="KNC"))
    assert not any(pool.observed for pool in found.pools)
    found = pools(month, row("2021-04-01", "999", address=YFI.lower(), symbol="anything"))
    assert [pool.weth_wei for pool in of(found, YFI)] == [999 * WAD]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["date,venue,token_address"], r"^column 'weth_reserve': missing"),
        ([HEADER, row("2021-4-1", "1")], r"^line 2: date: '2021-4-1', expected YYYY-MM-DD$"),
        ([HEADER, row("2021-04-01", "1", "curve")], r"^line 2: venue: 'curve', expected one of uniswapv2"),
        ([HEADER, row("2021-04-01", "1", address="0x1")], r"^line 2: token_address: '0x1', expected an address$"),
        (
            [HEADER, row("2021-04-01", "much")],
            r"^line 2: weth_reserve: 'much', expected a number of whole WETH that",
        ),
        ([HEADER, row("2021-04-01", "-1")], r"^line 2: weth_reserve: '-1', expected a number of whole WETH that fits"),
        ([HEADER, row("2021-04-01", "NaN")], r"^line 2: weth_reserve: 'NaN'"),
        (
            [HEADER, row("2021-04-01", "1"), row("2021-04-01", "2")],
            r"^line 3: uniswap 0x0bc5.* stands twice on 2021-04-01",
        ),
    ],
)
def test_broken_files_are_refused_with_the_reason(lines: list[str], message: str) -> None:
    with pytest.raises(ReservesError, match=message):
        list(parse_reserves(lines))


def test_a_pool_too_small_to_open_is_refused() -> None:
    with pytest.raises(ReservesError, match=r"token reserve of 0x0bc5.* on uniswap comes to 0 wei, expected 10000"):
        pools(month_of(), row("2021-04-01", "0.000000000000000001"))


def test_missing_file_is_named() -> None:
    with pytest.raises(ReservesError, match=r"nowhere\.csv' cannot be read"):
        load_reserves("nowhere.csv")


def test_world_goes_to_json_and_back() -> None:
    raw = {
        "month": "x-2021-04", "head": 1, "reserves_note": "", "weth": "0x1", "weth_price_usd": str(2**200),
        "eth_feed": "0x2", "uniswap_factory": "0x3", "uniswap_router": "0x4", "sushiswap_factory": "0x5",
        "sushiswap_router": "0x6", "uniswap_v3_factory": "0xc", "market": "0x7", "trader": "0x8",
        "tokens": [
            {
                "symbol": "A", "address": "0x9", "decimals": 8, "feed": "0xa", "feed_on_mainnet": True,
                "price_usd": str(2**180 + 1), "pools": [{"venue": "uniswap", "pair": "0xb", "fee_bps": 30}],
            }
        ],
        "v3_pools": [{"pool": "0xd", "tokens": ["0x1", "0x9"], "fee": 500}],
    }  # fmt: skip
    world = World.from_json(json.dumps(raw))
    assert world.token("A").price_usd == 2**180 + 1
    assert json.loads(world.to_json()) == raw
    assert World.from_json(world.to_json()) == world
