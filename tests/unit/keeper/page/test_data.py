"""What the page is told of a fund: figures against those of the state they come from."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ballast.networks.presets import network_of
from ballast.rule.calendar import MONTH, Timetable
from ballast.steering.calls import Decoded
from ballast.steering.operations import Operation
from ballast.units import DAY_S, WAD
from keeper.look.interventions import Intervention, What
from keeper.look.outlook import Announced, Outlook
from keeper.output.condition import condition
from keeper.page import sent, text
from keeper.page.data import Kept, fund_data, history_data, page_data
from keeper.page.details import Details
from keeper.page.samples import sample_of
from keeper.page.timeline import timeline
from keeper.sending.journal import Status
from keeper.state import Action, Phase, Progress, Reason, Side
from tests.unit.keeper.ops.facts import BOUNDS, NOW, entry, facts_of, pulse_of, view_of
from tests.unit.keeper.page.shown import ETH_PRICE, FEE, OTHER, REBALANCER, april_facts, book_of, stage
from tests.unit.keeper.simulated import START, Simulated

MINE = {"recipient": REBALANCER}


def utc(month: int, day: int, hour: int = 0) -> int:
    return int(datetime(2021, month, day, hour, tzinfo=UTC).timestamp())


def test_weights_and_targets(april: Simulated) -> None:
    s = april.state
    found = fund_data(book_of(), view_of(april), Kept(), ())
    rows = {row["token"]: row for row in found["components"]}
    assert rows.keys() == {h.token for h in s.holdings}
    for h in s.holdings:
        row = rows[h.token]
        assert row["weight"] == str(h.value(h.balance) * WAD // s.total_value)
        assert row["target"] == str(h.value(h.unit * s.shares // WAD) * WAD // s.total_value)
        assert (row["price"], row["value"], row["side"]) == (str(h.price), str(h.value(h.balance)), h.side.name.lower())
    values = [int(row["value"] or 0) for row in found["components"]]
    assert values == sorted(values, reverse=True)
    nav = s.total_value * WAD // s.supply
    assert (found["target_is"], found["total"], found["nav"]) == ("month", str(s.total_value), str(nav))
    assert rows[s.holdings[0].token]["symbol"] in {c.symbol for c in book_of().candidates}


def test_targets_before_the_start_are_the_determinations(april: Simulated) -> None:
    held, new = april.state.holdings[0].token, "0x" + "99" * 20
    view = view_of(april, phase=Phase.DETERMINED, action=Action.NONE, reason=Reason.NOT_YET)
    details = Details(FEE, OTHER, 0, {held: WAD // 4, new: 3 * WAD // 4})
    found = fund_data(book_of(), view, Kept(details), ())
    assert found["target_is"] == "determination"
    rows = {row["token"]: row for row in found["components"]}
    assert rows[held]["target"] == str(WAD // 4)
    assert (rows[new]["weight"], rows[new]["value"], rows[new]["target"]) == ("0", None, str(3 * WAD // 4))
    leaving = [row for token, row in rows.items() if token not in (held, new)]
    assert len(leaving) == len(april.state.holdings) - 1 and {row["target"] for row in leaving} == {"0"}


def test_targets_after_the_month_are_its_units_at_prices_of_now(april: Simulated) -> None:
    first, *rest = april.state.holdings
    view = view_of(
        april, phase=Phase.IDLE, action=Action.NONE, reason=Reason.DONE, shares=0,
        holdings=(replace(first, price=2 * first.price, unit=0), *(replace(h, unit=0) for h in rest)),
    )  # fmt: skip
    kept = Kept(opened=sample_of(april.state))
    found = fund_data(book_of(), view, kept, ())
    values = {h.token: h.value(h.unit) for h in april.state.holdings}
    values[first.token] *= 2
    for row in found["components"]:
        assert int(row["target"] or 0) == pytest.approx(
            values[row["token"]] * WAD / sum(values.values()), abs=WAD // 10**9
        )
    assert fund_data(book_of(), view, Kept(opened=replace(kept.opened, period=1)), ())["target_is"] == "unknown"  # type: ignore[type-var]


def test_trading_against_its_bounds(april: Simulated) -> None:
    s, p = april.state, april.state.progress
    goal = s.opening.buy_targets
    half = Progress(p.tat, s.limits.loss_budget // 4, p.surplus // 2, p.held + (goal - p.held) // 4)
    found = fund_data(book_of(), view_of(april, progress=half), Kept(opened=sample_of(s)), ())["trading"]
    assert int(found["sold"]) == pytest.approx(WAD // 2, abs=10**6)
    assert int(found["bought"]) == pytest.approx(WAD // 4, abs=10**6)
    assert (found["spent"], found["loss_budget"]) == (str(s.limits.loss_budget // 4), str(s.limits.loss_budget))
    assert found["spent_usd"] == str(half.spent * (s.opening.nav * s.shares // WAD) // WAD)
    assert int(found["surplus"]) == half.surplus and int(found["lack"]) == goal - half.held
    unknown = fund_data(book_of(), view_of(april, progress=half), Kept(), ())["trading"]
    assert (unknown["sold"], unknown["bought"]) == (None, None)
    assert fund_data(book_of(), view_of(april, phase=Phase.IDLE), Kept(), ())["trading"] is None


def test_the_fee(april: Simulated) -> None:
    found = fund_data(book_of(), view_of(april), Kept(Details(FEE, OTHER, 3 * WAD, None)), ())
    assert (found["fee"]["yearly"], found["fee"]["recipient"], found["fee"]["pending"]) == (
        str(FEE),
        OTHER,
        str(3 * WAD),
    )
    assert found["fee"]["pending_usd"] == str(3 * int(found["nav"]))
    assert fund_data(book_of(), view_of(april), Kept(), ())["fee"] is None


@pytest.mark.parametrize(
    ("day", "fixed", "notice", "start"),
    [(0, 0, 7, utc(4, 1)), (1, 0, 7, utc(3, 31)), (2, 15, 7, utc(4, 15)), (0, 0, 1, utc(4, 2))],
    ids=["first business day", "last day", "fixed day", "short notice"],
)
def test_the_timeline_is_the_contracts_schedule(
    april: Simulated, day: int, fixed: int, notice: int, start: int
) -> None:
    seconds = notice * DAY_S
    begins, period = utc(4, 1) - seconds, april.state.period
    table = Timetable(MONTH, day, fixed, seconds, 2 * DAY_S, 3 * DAY_S, begins, first=period)
    state = replace(april.state, timetable=table, phase=Phase.IDLE, month_period=april.state.period - 1)
    found = timeline(state, None, None)
    opens, end = utc(4, 1) - notice * DAY_S, utc(5, 1) - notice * DAY_S
    assert (found["opens"], found["end"], found["start_until"]) == (opens, end, end - 3 * DAY_S)
    assert (found["determined_at"], found["start_from"]) == (None, start)


def test_a_late_determination_puts_off_the_start(april: Simulated) -> None:
    state = replace(april.state, phase=Phase.DETERMINED, determined_at=START - 3_600)
    found = timeline(state, 5, 6)
    assert found["start_from"] == START - 3_600 + state.timetable.min_notice
    assert (found["started_at"], found["done_at"], found["determined_at"]) == (5, 6, START - 3_600)
    # 1 May 2021 is a Saturday.
    assert found["next_start"] == utc(5, 3)


def test_a_month_that_trades_too_long_is_still_the_one_shown(april: Simulated) -> None:
    view = view_of(april, period=april.state.period + 1, action=Action.CLOSE)
    found = fund_data(book_of(), view, Kept(), ())
    assert (found["month"], found["timeline"]["period"]) == ("2021-04", april.state.month_period)
    assert found["standing"] == "April 2021 has run out while trading was open"


@pytest.mark.parametrize(
    ("phase", "action", "reason", "standing", "what"),
    [
        (Phase.IDLE, Action.DETERMINE, Reason.DUE, "The weights of April 2021 are determined", "Determination"),
        (Phase.DETERMINED, Action.NONE, Reason.NOT_YET, "The weights of April 2021 are determined", "Start of trading"),
        (Phase.DETERMINED, Action.START, Reason.DUE, "The weights of April 2021 are determined", "Start of trading"),
        (Phase.TRADING, Action.TRADE, Reason.DUE, "Trading April 2021", "Next batch"),
        (Phase.IDLE, Action.NONE, Reason.DONE, "April 2021 is done", "Next determination"),
        (Phase.VETOED, Action.NONE, Reason.VETOED, "April 2021 was vetoed", "Next determination"),
        (Phase.DETERMINED, Action.NONE, Reason.TOO_LATE, "April 2021 was not started in time", "Next determination"),
        (Phase.DETERMINED, Action.NONE, Reason.PAUSED, "The weights of April 2021 are determined", "The pause ends"),
        (Phase.IDLE, Action.NONE, Reason.NOT_SEEDED, "The fund has not been seeded yet", "Next look"),
    ],
)
def test_what_it_stands_at_and_what_is_next(
    april: Simulated, phase: Phase, action: Action, reason: Reason, standing: str, what: str
) -> None:
    view = view_of(april, phase=phase, action=action, reason=reason, paused_until=NOW)
    found = fund_data(book_of(), view, Kept(), ())
    assert (found["standing"], found["next"]["what"]) == (standing, what)
    if reason is Reason.PAUSED:
        assert found["next"]["at"] == NOW
    elif reason in (Reason.NOT_YET, Reason.DONE, Reason.VETOED, Reason.TOO_LATE):
        assert found["next"]["at"] == april.state.next


def test_before_its_determination_a_month_is_to_be_determined(april: Simulated) -> None:
    view = view_of(
        april, phase=Phase.IDLE, action=Action.DETERMINE, reason=Reason.DUE, month_period=april.state.period - 1
    )
    assert fund_data(book_of(), view, Kept(), ())["standing"] == "The weights of April 2021 are to be determined"


def test_what_was_sent_and_what_it_cost(april: Simulated) -> None:
    paid = {**MINE, "gas_used": 700_000, "gas_price": 30 * 10**9, "mined_block": 9}
    journal = [
        entry(0, Status.CONFIRMED, **paid, action="start"),
        entry(1, Status.REPLACED, **MINE),
        entry(1, Status.REVERTED, **paid),
        entry(2, Status.CONFIRMED, **{**paid, "recipient": OTHER}),
        entry(3, Status.CONFIRMED, **{**paid, "period": april.state.period - 1}),
        entry(4, Status.SUBMITTED, **MINE, max_fee=77),
    ]
    found = fund_data(book_of(), view_of(april), Kept(eth_price=ETH_PRICE), journal)
    assert [(row["nonce"], row["status"], row["open"]) for row in found["sent"]] == [
        (4, "submitted", True), (3, "confirmed", False), (1, "reverted", False), (1, "replaced", False),
        (0, "confirmed", False),
    ]  # fmt: skip
    cost = 700_000 * 30 * 10**9
    price = ETH_PRICE
    assert price != april.market.eth_price  # the oracle's, as with all else on the page
    assert [row["cost_eth"] for row in found["sent"]] == [None, str(cost), str(cost), None, str(cost)]
    assert found["sent"][1]["cost_usd"] == str(cost * price // WAD)
    assert (found["sent"][0]["gas_price"], found["sent"][1]["gas_price"]) == ("77", str(30 * 10**9))
    assert (found["spent"]["count"], found["spent"]["gas"]) == (2, 1_400_000)
    assert (found["spent"]["cost_eth"], found["spent"]["cost_usd"]) == (str(2 * cost), str(2 * cost * price // WAD))
    # A month that is over keeps its cost.
    assert [(one["month"], one["count"], one["cost_eth"]) for one in found["months"]] == [
        (april.state.label_of(april.state.period), 2, str(2 * cost)),
        (april.state.label_of(april.state.period - 1), 1, str(cost)),
    ]
    unpriced = fund_data(book_of(), view_of(april), Kept(), journal)
    assert (unpriced["eth_price"], unpriced["spent"]["cost_usd"]) == ("0", None)
    assert unpriced["spent"]["cost_eth"] == str(2 * cost)


def test_addresses_with_their_explorer_where_one_is_known(april: Simulated) -> None:
    for chain_id, site in ((1, "https://etherscan.io"), (11_155_111, "https://sepolia.etherscan.io"), (31_337, None)):
        fund = april_facts(april, book=replace(book_of(), chain_id=chain_id))
        listed = page_data(fund, Kept(), facts_of(fund), BOUNDS)["addresses"]
        assert [one["name"] for one in listed] == ["Share token", "Rebalancer"]
        assert listed[1]["address"] == REBALANCER
        assert listed[1]["url"] == (None if site is None else f"{site}/address/{REBALANCER}")


def test_only_the_newest_are_listed_and_all_are_counted(april: Simulated) -> None:
    journal = [entry(n, Status.CONFIRMED, **MINE, gas_used=1, gas_price=1) for n in range(sent.NEWEST + 9)]
    found = fund_data(book_of(), view_of(april), Kept(), journal)
    assert [row["nonce"] for row in found["sent"]] == list(range(sent.NEWEST + 8, 8, -1))
    assert found["spent"]["count"] == sent.NEWEST + 9


def test_a_cancellation_is_shown_with_what_it_cancels(april: Simulated) -> None:
    journal = [
        entry(5, Status.CANCELLED, **MINE),
        entry(5, Status.CONFIRMED, recipient=OTHER, action="cancel", gas_used=21_000, gas_price=1),
    ]
    found = fund_data(book_of(), view_of(april), Kept(), journal)
    assert [(row["action"], row["status"]) for row in found["sent"]] == [
        ("cancel", "confirmed"),
        ("trade", "cancelled"),
    ]


def test_texts_from_outside_are_cleaned(april: Simulated) -> None:
    assert text.name("<img src=x onerror=alert(1)>") == "<img src=x onerror=aler…"
    assert text.name("A\u202eB\x00C\nD \u200b") == "A B C D"
    assert text.line("see https://user:pw@node.example/v2/KEY?x=1, then wss://n/KEY") == "see (address) then (address)"
    symbol = book_of().candidates[0].symbol
    book = book_of("\u202efund\n<b>", symbols={symbol: "<script>alert(1)</script>\u202e"})
    fund = april_facts(april, book=book, failing=True)
    found = page_data(fund, Kept(error="node https://node.example/KEY says \x1b[31m no"), facts_of(fund), BOUNDS)
    assert found["fund"] == "fund <b>"
    assert "<script>alert(1)</scrip… " in " ".join(row["symbol"] for row in found["data"]["components"])
    assert found["notes"][0]["text"] == "The last look failed: node (address) says [31m no"


def test_a_symbol_of_nothing_gives_way_to_the_address(april: Simulated) -> None:
    first = book_of().candidates[0]
    found = fund_data(book_of(symbols={first.symbol: "\u200b \u202e"}), view_of(april), Kept(), ())
    assert f"{first.token[:8]}…{first.token[-4:]}" in [row["symbol"] for row in found["components"]]


def test_json_keeps_every_digit(april: Simulated, tmp_path: Path) -> None:
    with stage(tmp_path / "h.sqlite", april_facts(april)) as found:
        found.look(view_of(april))
        told = json.loads(json.dumps(found.told()))["data"]
        assert int(told["total"]) == april.state.total_value > 2**53
        big = [v for v in _numbers(told) if isinstance(v, int) and abs(v) >= 2**53]
        assert big == []


def _numbers(node: object) -> list[object]:
    if isinstance(node, dict):
        return [number for value in node.values() for number in _numbers(value)]
    if isinstance(node, list):
        return [number for value in node for number in _numbers(value)]
    return [node]


def test_samples_as_columns(april: Simulated) -> None:
    first = sample_of(april.state)
    gone, *rest = april.state.holdings
    later = sample_of(replace(april.state, time=START + 600, holdings=tuple(rest)))
    found = history_data(book_of(), [first, later])
    assert found["time"] == [START, START + 600]
    assert found["nav"] == [str(s.total_value * WAD // s.supply) for s in (first, later)]
    columns = {column["token"]: column["values"] for column in found["weights_ppm"]}
    assert columns[gone.token] == [first.parts[0].weight // 10**12, 0]
    assert 999_980 <= sum(values[1] for values in columns.values()) <= 1_000_000


def test_what_has_no_price_is_named_and_its_samples_are_not_drawn(april: Simulated) -> None:
    first, *rest = april.state.holdings
    stale = replace(april.state, time=START + 600, holdings=(replace(first, price=0), *rest))
    found = fund_data(book_of(), view_of(april, holdings=stale.holdings), Kept(), ())
    candidate = book_of().candidate(first.token)
    assert candidate is not None and found["left_out"] == [f"{candidate.symbol}: no price"]
    assert found["incomplete"] and not fund_data(book_of(), view_of(april), Kept(), ())["incomplete"]
    gone = fund_data(book_of(), view_of(april, holdings=(replace(first, written_off=True), *rest)), Kept(), ())
    assert gone["left_out"] == [f"{candidate.symbol}: written off"] and not gone["incomplete"]
    assert history_data(book_of(), [sample_of(april.state), sample_of(stale)])["time"] == [START]


def test_states_of_components_and_what_was_done_are_told_in_words(april: Simulated) -> None:
    first, second, *rest = april.state.holdings
    names = [candidate.symbol for h in (first, second) if (candidate := book_of().candidate(h.token)) is not None]
    holdings = (replace(first, suspended_until=START + 86_400), replace(second, balance=0, price=0, sound=False), *rest)
    view = replace(
        view_of(april, holdings=holdings),
        told=(
            Intervention(What.SUSPENDED, 5, START + 60, None, first.token, until=START + 86_400),
            Intervention(What.TAKEN_OUT, 5, START + 60, april.state.month_period, first.token),
        ),
    )
    found = fund_data(book_of(), view, Kept(), ())
    rows = {row["token"]: row for row in found["components"]}
    assert [rows[h.token]["condition"] for h in (first, second, rest[0])] == [
        "suspended until 2021-04-02 00:00 UTC",
        "balance not readable",
        "",
    ]
    assert rows[first.token]["weight"] == rows[second.token]["weight"] == "0"
    assert found["left_out"] == [
        f"{n}: {rows[h.token]['condition']}" for n, h in zip(names, (first, second), strict=True)
    ]
    assert [(one["time"], one["text"]) for one in found["events"]] == [
        (START + 60, f"{names[0]} suspended until 2021-04-02 00:00 UTC"),
        (START + 60, f"{names[0]} taken out of this month's trading"),
    ]
    # The owner's has no end; one that is over is none.
    assert "until the owner ends it" in condition(april.state, replace(first, suspended_until=2**40 - 1))
    assert condition(april.state, replace(first, suspended_until=START)) == ""


def test_a_month_that_was_ended_or_is_void(april: Simulated) -> None:
    end = Intervention(What.ENDED, 5, START + 60, april.state.month_period, by=OTHER)
    over = replace(view_of(april, phase=Phase.IDLE, action=Action.NONE, reason=Reason.DONE), told=(end,))
    found = fund_data(book_of(), over, Kept(), ())
    assert found["standing"] == "April 2021 was ended as it stood"
    assert [one["text"] for one in found["events"]] == [f"ended as it stood by {OTHER}: what was traded stays traded"]
    void = view_of(april, phase=Phase.VOIDED, action=Action.DETERMINE, reason=Reason.DUE)
    found = fund_data(book_of(), void, Kept(), ())
    assert found["standing"] == "The weights of April 2021 are to be determined"
    assert found["timeline"]["determined_at"] is None


def test_notes_are_the_alerts_of_the_fund_and_what_explains_it(april: Simulated) -> None:
    first, *rest = april.state.holdings
    well, other = april_facts(april), april_facts(april, book=book_of("other", OTHER), overdue_s=9_999)
    assert page_data(well, Kept(), facts_of(well, other), BOUNDS)["notes"] == []
    assert page_data(well, Kept(), facts_of(well, other), BOUNDS)["level"] == "ok"
    assert page_data(well, Kept(), facts_of(well, other), BOUNDS)["explorer"] == network_of(well.book.chain_id).explorer
    late = page_data(other, Kept(), facts_of(well, other), BOUNDS)
    assert (late["level"], [note["text"] for note in late["notes"]]) == (
        "bad",
        ["trade is due and not done for 2 h 46 min"],
    )
    priceless = april_facts(april, holdings=(replace(first, price=0), *rest))
    (note,) = page_data(priceless, Kept(), facts_of(priceless), BOUNDS)["notes"]
    assert note["level"] == "warn" and note["text"].startswith("the oracle has no price for ")
    vetoed = april_facts(april, phase=Phase.VETOED, action=Action.NONE, reason=Reason.VETOED)
    assert page_data(vetoed, Kept(), facts_of(vetoed), BOUNDS)["level"] == "warn"
    missed = april_facts(april, phase=Phase.DETERMINED, action=Action.NONE, reason=Reason.TOO_LATE)
    assert page_data(missed, Kept(), facts_of(missed), BOUNDS)["level"] == "bad"
    done = april_facts(april, phase=Phase.IDLE, action=Action.NONE, reason=Reason.DONE)
    assert page_data(done, Kept(), facts_of(done), BOUNDS)["notes"] == []


@pytest.mark.parametrize(("left", "level"), [(DAY_S - 1, "bad"), (DAY_S, "ok")])
@pytest.mark.parametrize("action", [Action.DETERMINE, Action.START, Action.TRADE])
def test_the_last_day_of_what_is_due_is_an_alarm(april: Simulated, action: Action, left: int, level: str) -> None:
    fund = april_facts(april, action=action, next=april.state.time + left)
    assert page_data(fund, Kept(), facts_of(fund), BOUNDS)["level"] == level


def test_errors_of_the_keeper_are_told(april: Simulated) -> None:
    waits = april_facts(april, pulse=pulse_of(april.state, error="waiting for cheaper gas"))
    assert page_data(waits, Kept(), facts_of(waits), BOUNDS)["level"] == "warn"
    # pulse_of's own `state` is the fund's.
    stuck = april_facts(april, pulse=replace(pulse_of(april.state), state="error", error="insufficient funds"))
    found = page_data(stuck, Kept(), facts_of(stuck), BOUNDS)
    assert (found["level"], found["notes"][0]["text"]) == ("bad", "The keeper could not act: insufficient funds")
    new = april_facts(april, view=None, pulse=None, looked_at=None)
    unseen = page_data(new, Kept(), facts_of(new), BOUNDS)
    assert (unseen["data"], unseen["looked_at"], unseen["level"]) == (None, None, "warn")
    fund = april_facts(april)
    reverted = facts_of(fund, transactions=(entry(1, Status.REVERTED, **MINE), entry(2, Status.CONFIRMED)))
    assert page_data(fund, Kept(), reverted, BOUNDS)["notes"][-1]["text"] == "The last transaction (trade) reverted"


def test_sides_are_words(april: Simulated) -> None:
    found = fund_data(book_of(), view_of(april), Kept(), ())
    assert {row["side"] for row in found["components"]} <= {side.name.lower() for side in Side}


def test_what_is_pending_in_the_timelock(april: Simulated) -> None:
    call = Decoded(OTHER, "Rebalancer", "setLimits", "limits\nhttps://node.example/key", ("looser",))
    early = Operation("0x01", (), b"", b"", 100, 1, START, OTHER, "0x0a")
    late, over = replace(early, id="0x02", delay=300), replace(early, id="0x03", ended=START)
    outlook = Outlook(1, START + 100, operations=tuple(Announced(one, (call,)) for one in (late, over, early)))
    found = fund_data(book_of(), replace(view_of(april), outlook=outlook), Kept(), ())["pending"]
    assert [(one["id"], one["state"], one["from"]) for one in found] == [
        ("0x01", "ready", START + 100),
        ("0x02", "pending", START + 300),
    ]
    assert (found[0]["by"], found[0]["calls"], found[0]["warnings"]) == (OTHER, ["limits (address)"], ["looser"])
    assert fund_data(book_of(), view_of(april), Kept(), ())["pending"] is None
