"""`explain`: the determination as it stands on the chain, and whether the keeper computes the same."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ape
import pytest

from ballast.abi import call_data
from ballast.rule import methodology
from ballast.rule.arithmetic import period_start
from ballast.rule.methodology import Flag
from ballast.units import DAY_S
from keeper.look import contracts
from keeper.output.flags import FLAGS
from lab.localnet.month_file import load_month
from lab.localnet.rpc import read, send
from tests.keeper.deployed_fund import PERIOD, Field
from tests.keeper.test_commands import Keeper


@pytest.fixture
def keeper(field: Field, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Keeper:
    return Keeper(field, tmp_path, monkeypatch, capsys)


@pytest.fixture
def own(field: Field) -> Callable[..., None]:
    """Calls a contract of the fund as its owner, without the timelock's delay."""
    owner = field.book["timelock"]
    field.rpc.request("anvil_impersonateAccount", owner)
    field.rpc.request("anvil_setBalance", owner, hex(10**20))

    def call(to: str, signature: str, *args: Any) -> None:
        send(field.rpc, owner, to, call_data(signature, *args), gas=10_000_000)

    return call


def once(keeper: Keeper) -> str:
    done = keeper("once")
    assert done.returncode == 0, done.stderr
    return done.stdout


def determined(keeper: Keeper, field: Field, period: int = PERIOD) -> dict[str, Any]:
    """Determines the period; what `explain` says of it."""
    field.clock.jump(period_start(period, field.config.timetable.notice))
    done = once(keeper)
    if done.startswith("close: 0x"):
        done = once(keeper)
    assert done.startswith("determine: 0x")
    return explained(keeper)


def started(keeper: Keeper, field: Field) -> dict[str, Any]:
    """Starts the month that is determined; what `explain` says of its start."""
    field.to_execution()
    assert once(keeper).startswith("start: 0x")
    found: dict[str, Any] = explained(keeper)["start"]
    return found


def explained(keeper: Keeper, *arguments: str) -> dict[str, Any]:
    """The JSON of an `explain` that agrees."""
    shown = keeper("explain", "--json", *arguments, BALLAST_PRIVATE_KEY=None)
    assert shown.returncode == 0, shown.stdout + shown.stderr
    found: dict[str, Any] = json.loads(shown.stdout)
    assert (found["agrees"], found["differences"]) == (True, [])
    return found


def test_a_month_from_determination_to_start(keeper: Keeper, field: Field) -> None:
    found = determined(keeper, field)
    month = load_month(os.environ["BALLAST_MONTH"])
    published = {component.symbol: component for component in month.components}
    rows = {row["symbol"]: row for row in found["constituents"]}
    assert rows.keys() == published.keys()
    for symbol, row in rows.items():
        size = published[symbol].supply or 0
        assert (int(row["basis"]), int(row["price_usd"])) == (size, published[symbol].price_usd)
        assert int(row["market_cap_usd"]) == size * published[symbol].price_usd
        assert (row["status"], row["flags"], row["origin"]) == ("included", [], "posted")
        assert row["source"] == field.book["posted_supply"]
        assert row["target_unit"] is None
    assert (found["period"], found["kind"], found["start"]) == ("2021-04", "market_cap", None)
    assert rows["UNI"]["weight"] == found["cap_weight"] == str(25 * 10**16)
    assert 10**18 - 100 <= sum(int(row["weight"]) for row in rows.values()) <= 10**18

    field.to_execution()
    assert once(keeper).startswith("start: 0x")
    found = explained(keeper, "2021-04")
    units = {row["symbol"]: int(row["target_unit"]) for row in found["start"]["targets"]}
    assert units == {symbol: component.published_target_unit for symbol, component in published.items()}
    assert {row["symbol"]: int(row["target_unit"]) for row in found["constituents"]} == units
    event = field.events("Started")[-1]["args"]
    assert event["basis"] == [], "every supply was the determination's"
    assert found["start"]["counts_otherwise"] == []
    assert not any(row["confirmed_at_start"] for row in found["start"]["targets"])
    assert (found["start"]["nav_usd"], found["start"]["block"]) == (str(event["nav"]), field.w3.eth.block_number)

    shown = keeper("explain", BALLAST_PRIVATE_KEY=None)
    assert shown.returncode == 0
    for text in (*published, "2021-04", "posted", f"{int(found['divisor']):,}", "25.00 %", "agrees to the wei"):
        assert text in shown.stdout


def test_supplies_that_jump_fail_or_are_overridden(keeper: Keeper, field: Field, own: Callable[..., None]) -> None:
    assert len(determined(keeper, field)["constituents"]) == 14
    assert started(keeper, field)["counts_otherwise"] == []
    token = {candidate.symbol: candidate.token for candidate in field.book.candidates}
    now = field.clock.now()
    posts = [(token["UNI"], 10**9, now), (token["YFI"], 1, now), (token["SUSHI"], 139_445_659, now)]
    field.clock.jump(period_start(PERIOD + 1, field.config.timetable.notice) - DAY_S)
    own(field.book["posted_supply"], "post((address,uint88,uint40)[])", posts)
    own(field.book["methodology"], "overrideSupply(address,uint88)", token["MKR"], 12_345_678)
    found = determined(keeper, field, PERIOD + 1)
    rows = {row["symbol"]: row for row in found["constituents"]}
    jump = field.config.methodology.max_supply_jump
    assert (rows["UNI"]["flags"], rows["YFI"]["flags"]) == (["clamped"], ["clamped"])
    assert int(rows["UNI"]["basis"]) == 519_857_388 + 519_857_388 * jump // 10**18
    assert int(rows["YFI"]["basis"]) == 36_096 - 36_096 * jump // 10**18
    assert (rows["SUSHI"]["flags"], rows["SUSHI"]["basis"]) == ([], "139445659")
    assert (rows["MKR"]["flags"], rows["MKR"]["basis"]) == (["overridden"], "12345678")
    # The month before stays to be explained.
    assert explained(keeper, "2021-04")["constituents"][0]["flags"] == []
    # A month that is vetoed leaves nothing: the next is held against the one that was started.
    own(field.book["rebalancer"], "veto()")
    again = {row["symbol"]: row for row in determined(keeper, field, PERIOD + 2)["constituents"]}
    assert (again["UNI"]["basis"], again["UNI"]["flags"]) == (rows["UNI"]["basis"], ["clamped"])


def test_a_computed_supply_and_one_confirmed_at_start(keeper: Keeper, field: Field, own: Callable[..., None]) -> None:
    token = {candidate.symbol: candidate.token for candidate in field.book.candidates}
    posted, computed = field.book["posted_supply"], field.book["locked_supply"]
    (total,) = read(field.rpc, token["LRC"], "totalSupply()", ["uint256"])
    candidates = [
        (at, computed, 0, total // 10**18) if at == token["LRC"] else (at, posted, 0, 0)
        for at in sorted(token.values(), key=lambda at: int(at, 16))
    ]
    field.clock.jump(period_start(PERIOD, field.config.timetable.notice) - DAY_S)
    own(computed, "setLockers(address,address[])", token["LRC"], [])
    own(field.book["methodology"], "setCandidates((address,address,uint8,uint88)[])", candidates)
    rows = {row["symbol"]: row for row in determined(keeper, field)["constituents"]}
    assert (rows["LRC"]["origin"], rows["LRC"]["source"]) == ("computed", computed)
    assert int(rows["LRC"]["basis"]) == total // 10**18 > 0

    # Without a supply that was given there is none to be near to: of the two readings the smaller counts.
    posts = [(token["UNI"], 500_000_000, field.clock.now()), (token["YFI"], 40_000, field.clock.now())]
    own(posted, "post((address,uint88,uint40)[])", posts)
    field.to_execution()
    assert once(keeper).startswith("start: 0x")
    found = explained(keeper)["start"]
    start = {row["symbol"]: row for row in found["targets"]}
    assert [(row["symbol"], row["basis"], row["flags"]) for row in found["counts_otherwise"]] == [
        ("UNI", "500000000", ["confirmed at start"])
    ]
    assert [symbol for symbol, row in start.items() if row["confirmed_at_start"]] == ["UNI"]
    assert (start["UNI"]["basis"], start["YFI"]["basis"]) == ("500000000", "36096")
    shown = keeper("explain").stdout
    assert "confirmed at start: 500,000,000" in shown and "counts otherwise since the start" in shown
    # The chain itself says so: the flags of each basis stand in the event's words.
    told = field.events("Started")[-1]["args"]["basis"]
    fixed = list(start.values())
    assert [word % 2**88 for word in told] == [int(row["basis"]) for row in fixed]
    assert [Flag.CONFIRMED_AT_START in Flag(word >> 88) for word in told] == [
        row["confirmed_at_start"] for row in fixed
    ]
    # What start confirmed is what the next month is held against, not what was determined.
    own(posted, "post((address,uint88,uint40)[])", [(token["UNI"], 10**9, field.clock.now())])
    rows = {row["symbol"]: row for row in determined(keeper, field, PERIOD + 1)["constituents"]}
    jump = field.config.methodology.max_supply_jump
    assert int(rows["UNI"]["basis"]) == 500_000_000 + 500_000_000 * jump // 10**18


def test_a_price_that_is_missing(keeper: Keeper, field: Field) -> None:
    """A dead feed: out of the weights, and the keeper agrees about what that makes of the others."""
    symbol = "SNX"
    feed = next(c.feed.address for c in field.config.components if c.symbol == symbol)
    field.to_determination()
    field.rpc.request("anvil_setCode", feed, "0x")
    assert once(keeper).startswith("determine: 0x")
    row = next(row for row in explained(keeper)["constituents"] if row["symbol"] == symbol)
    assert (row["status"], row["flags"], row["price_usd"], row["weight"]) == ("frozen", ["no price"], "0", "0")


def test_a_suspended_component_and_one_that_is_dropped(keeper: Keeper, field: Field, own: Callable[..., None]) -> None:
    """What is suspended is held; dust outside the index goes off the list and still counts in NAV."""
    holdings = field.state().holdings
    tokens = sorted((h.token for h in holdings[:4]), key=lambda token: int(token, 16))
    given = [(token, 25 * 10**16) for token in tokens]
    fixed = ape.accounts.test_accounts[0].deploy(ape.project.FixedWeight, field.book["timelock"], given)
    own(field.book["rebalancer"], "setMethodology(address)", fixed.address)
    dust, suspended = holdings[-1], holdings[-2]
    left = field.state().total_value // 10**7 * dust.one // dust.price
    index = field.book["index_token"]
    field.rpc.request("anvil_impersonateAccount", index)
    field.rpc.request("anvil_setBalance", index, hex(10**20))
    away = call_data("transfer(address,uint256)", field.account.address, dust.balance - left)
    send(field.rpc, index, dust.token, away, gas=1_000_000)
    own(field.book["rebalancer"], "suspend(address)", suspended.token)
    determined(keeper, field)
    start = started(keeper, field)
    targets = {row["token"]: row for row in start["targets"]}
    assert dust.token not in targets and left > 0
    assert (targets[suspended.token]["side"], targets[suspended.token]["price_usd"]) == ("held", "0")
    assert "agrees to the wei" in keeper("explain").stdout


def test_given_weights(keeper: Keeper, field: Field, own: Callable[..., None]) -> None:
    tokens = sorted((c.token for c in field.book.candidates[:4]), key=lambda token: int(token, 16))
    given = [(token, 25 * 10**16) for token in tokens]
    fixed = ape.accounts.test_accounts[0].deploy(ape.project.FixedWeight, field.book["timelock"], given)
    own(field.book["rebalancer"], "setMethodology(address)", fixed.address)
    found = determined(keeper, field)
    assert (found["kind"], found["methodology"]) == ("fixed_weight", fixed.address)
    rows = found["constituents"]
    assert [(row["token"], int(row["weight"])) for row in rows if row["status"] == "included"] == given
    # What the fund holds and the methodology does not name is told as such.
    others = [row for row in rows if row["status"] != "included"]
    assert {row["token"] for row in others} == {h.token for h in field.state().holdings} - set(tokens)
    assert {(row["status"], row["origin"], row["basis"]) for row in others} == {("outside", "no candidate", "0")}
    assert all(int(row["price_usd"]) for row in others)
    field.to_execution()
    assert once(keeper).startswith("start: 0x")
    assert explained(keeper)["start"]["divisor"] == "0"
    assert "agrees to the wei" in keeper("explain").stdout


@pytest.mark.parametrize("stage", ["determination", "start"])
def test_a_wei_apart(keeper: Keeper, field: Field, monkeypatch: pytest.MonkeyPatch, stage: str) -> None:
    found = determined(keeper, field)
    field.to_execution()
    assert once(keeper).startswith("start: 0x")
    last = found["constituents"][-1]
    determine, target_units = methodology.determine, methodology.target_units

    def heavier(*args: Any) -> list[methodology.Decision]:
        *others, one = determine(*args)
        return [*others, methodology.Decision(**{**one.__dict__, "weight": one.weight + 1})]

    def more(*args: Any) -> list[int]:
        *others, one = target_units(*args)
        return [*others, one + 1]

    if stage == "determination":
        monkeypatch.setattr(methodology, "determine", heavier)
    else:
        monkeypatch.setattr(methodology, "target_units", more)
    shown = keeper("explain", "--json")
    assert shown.returncode == 2
    (difference,) = json.loads(shown.stdout)["differences"]
    assert (difference["stage"], difference["token"]) == (stage, last["token"])
    assert int(difference["keeper"]) - int(difference["chain"]) == 1
    shown = keeper("explain")
    assert shown.returncode == 2
    assert "DIFFERS" in shown.stdout and difference["keeper"] in shown.stdout


def test_what_has_not_been_determined(keeper: Keeper, field: Field) -> None:
    assert keeper.refused("explain") == "explain: nothing has been determined yet"
    determined(keeper, field)
    missing = keeper("explain", "2021-05")
    assert (missing.returncode, missing.stdout) == (1, "")
    assert missing.stderr == "keeper: explain: period 2021-05 has not been determined\n"
    for text in ("2021-13", "april", "2021", "24255"):
        wrong = keeper("explain", text)
        assert (wrong.returncode, wrong.stdout) == (2, "")
        assert "expected a month such as 2021-04" in wrong.stderr


def test_every_flag_has_a_word() -> None:
    assert set(FLAGS) == set(methodology.Flag)
    names = {entry["name"] for entry in contracts.abi("MarketCap") if entry["type"] == "event"}
    assert "SupplyOverridden" in names
