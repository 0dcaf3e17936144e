"""A keeper carries a fund with anchors while the feeds lag: it values every batch as the settlement does, and none of
what it sends is refused."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from web3 import Web3

from ballast.abi import call_data
from ballast.fund_file import FundConfig
from ballast.units import WAD
from keeper.state import FundState, Phase, Reason, Side
from lab.localnet.market import REST_S
from lab.localnet.month_file import Month
from lab.localnet.rpc import unpack
from lab.localnet.world import World
from tests.helpers.chain import Chain
from tests.helpers.v3 import AheadOfFeeds, anchor_pools, open_invented, with_anchors
from tests.keeper.deployed_fund import SUCCEEDED, Field, check_counts, deployed, journal_rows

WINDOW = 1_800
BOUND = 2 * WAD // 100
LAG = 1
"""Percent by which the market is ahead of the feeds, on both sides."""
PRICES = "tradePrices(address[],uint256)"


@dataclass(frozen=True)
class Carried:
    """A month that the keeper has carried. `shown`: what `status` said in the middle of it, as JSON and as tables."""

    field: Field
    folder: Path
    opened: FundState
    shown: dict[str, Any]
    table: str


@pytest.fixture(scope="module")
def pools(module_isolation: None, chain: Chain, world: World, month: Month) -> World:
    """The local mainnet with the invented V3 pools, which have stood at the month's prices for longer than a window."""
    found = open_invented(chain, world, month)
    chain.move_to(chain.now() + 2 * WINDOW)
    return found


@pytest.fixture(scope="module")
def carried(chain: Chain, pools: World, w3: Web3, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Carried]:
    folder: Path = tmp_path_factory.mktemp("anchored month")
    listed = anchor_pools(pools)

    def anchored(config: FundConfig) -> FundConfig:
        return with_anchors(config, pools, window=WINDOW, bound=BOUND)

    market = AheadOfFeeds(chain.rpc, pools)
    with deployed(pools, w3, folder, change=anchored, market=market) as field:
        with field.keeper(folder) as keeper:
            keeper.to_determined()
            for token in listed:
                market.move(token, LAG if pools.token(token).symbol == "UNI" else -LAG)
            field.clock.pass_to(field.clock.now() + REST_S)  # days before the start
            keeper.to_started()
            opened = field.state()
            shown = json.loads(field.command(folder, "status", "--json").stdout)
            table = field.command(folder, "status", COLUMNS="200").stdout
            keeper.to_the_end()
        yield Carried(field, folder, opened, shown, table)


def test_the_month_is_done_and_nothing_was_refused(carried: Carried) -> None:
    state = carried.field.state()
    assert (state.phase, state.reason) == (Phase.IDLE, Reason.DONE)
    assert {row["status"] for row in journal_rows(carried.folder)} <= set(SUCCEEDED)
    log = (carried.folder / "keeper.log").read_text()
    assert "could not act" not in log and "step failed" not in log
    assert len(carried.field.events("Traded")) > 3


def test_the_keeper_sees_what_counts(carried: Carried, pools: World) -> None:
    listed = anchor_pools(pools)
    for h in carried.opened.holdings:
        assert h.pulled == (h.token in listed)
        if h.pulled:
            away = (h.trade_price - h.price) * 10_000 // h.price
            assert 95 < (away if h.side is Side.SELL else -away) < 105
    by_token = {row["token"]: row for row in carried.shown["components"]}
    for h in carried.opened.holdings:
        assert (by_token[h.token]["price_usd"], by_token[h.token]["trade_price_usd"]) == (
            str(h.price),
            str(h.trade_price),
        )
    assert "in a batch $" in carried.table


def test_settlement_counts_as_the_contract_does(carried: Carried) -> None:
    chain, w3 = carried.field.chain, carried.field.w3
    pulled = 0
    for event in carried.field.events("Traded"):
        block = event["blockNumber"]
        now = at_trade(carried.field, chain.read(block - 1)[0], block, w3.eth.get_block(block)["timestamp"])
        check_counts(now, chain.read(block)[0], event)
        pulled += any(h.pulled for h in now.holdings)
    assert pulled > 3


def test_check_looks_at_anchors_and_v3_pools(carried: Carried, pools: World) -> None:
    def check() -> dict[tuple[str, str], dict[str, str]]:
        done = carried.field.command(carried.folder, "check", "--json")
        lines: list[dict[str, str]] = json.loads(done.stdout)["lines"]
        assert done.returncode == 0, [line for line in lines if line["level"] == "failure"]
        return {(line["check"], line["subject"]): line for line in lines}

    listed = {pools.token(token).symbol for token in anchor_pools(pools)}
    found = check()
    assert {subject for name, subject in found if name == "anchor"} == listed
    assert all("observations" in found["anchor", symbol]["text"] for symbol in listed)
    v3 = {f"{c.symbol} {p.venue}" for c in carried.field.book.candidates for p in c.pools if p.venue == "uniswap-v3"}
    assert v3 and {found["pool", subject]["level"] for subject in v3} == {"ok"}
    assert {found["contract", name]["level"] for name in ("oracle", "first_oracle", "v3_lens")} == {"ok"}

    # The market runs further ahead of the feed than the anchor's bound, for longer than its window.
    clock, market = carried.field.clock, carried.field.clock._market
    assert isinstance(market, AheadOfFeeds)
    market.move(pools.token("UNI").address, 4 * LAG)
    clock.pass_to(clock.now() + REST_S)
    clock.pass_to(clock.now() + 2 * WINDOW)
    line = check()["anchor", "UNI"]
    assert line["level"] == "warning" and "% apart, bound 2 %" in line["text"] and line["remedy"]


def at_trade(field: Field, before: FundState, block: int, time: int) -> FundState:
    """The fund before the batch in a block, at that block's time and prices. A mean over a window changes with time,
    though not with what is traded at its end."""
    tokens = [h.token for h in before.holdings]

    def prices(sold: int) -> list[int]:
        request = {"to": field.book["oracle"], "data": call_data(PRICES, tokens, sold)}
        answer = field.rpc.request("eth_call", request, hex(block))
        (found,) = unpack(["uint256[]"], answer, field.book["oracle"], PRICES)
        return list(found)

    by_side = {Side.SELL: prices(len(tokens)), Side.BUY: prices(0)}
    holdings = tuple(
        h if h.side is Side.HELD else replace(h, trade_price=by_side[h.side][h.index]) for h in before.holdings
    )
    return replace(before, time=time, holdings=holdings)
