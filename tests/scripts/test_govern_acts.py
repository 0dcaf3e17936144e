"""What the file has no word for, months that are traded, and what others have scheduled."""

from __future__ import annotations

import ape
from eth_utils import keccak, to_checksum_address

from ballast.abi import encode_call
from ballast.book import Book
from ballast.steering import owner_abi
from tests.helpers.edits import set_field
from tests.helpers.fund import EXECUTION, PERIOD_START
from tests.scripts.steered import Steered, ok, refused

STRANGER = to_checksum_address("0x" + "7b" * 20)


def test_what_the_file_has_no_word_for(steered: Steered) -> None:
    uni = steered.token("UNI")
    ok(steered.run("act", what="override", arguments=("UNI", "700_000_000")))
    for line in ("MarketCap.overrideSupply: supply of UNI", "override: counts at once", "the next determination, if"):
        assert line in steered.shown, steered.shown
    override = steered.id
    ok(steered.run("act", what="suspend", arguments=("UNI",)))
    suspend = steered.id
    refused(steered.run("act", what="resume", arguments=("UNI",)), "UNI is not suspended (NotSuspended)")
    refused(steered.run("act", what="override", arguments=("UNI",)), "found 1 arguments, expected TOKEN SUPPLY")
    refused(steered.run("act", what="override", arguments=("UNI", "many")), "supply: found 'many'")
    refused(steered.run("act", what="resume", arguments=("XYZ",)), "token 'XYZ': unknown")
    refused(steered.run("act", what="veto"), "no determination to veto")
    steered.pass_delay()
    ok(steered.run("execute", key="all-ready"))
    assert f"operation {override[:10]}: done" in steered.shown and f"operation {suspend[:10]}: done" in steered.shown
    assert steered.view("index_token", "isConstituent(address)", "bool", uni)
    ok(steered.run("act", what="resume", arguments=("UNI",)))
    ok(steered.run("act", what="write-off", arguments=("UNI",)))
    assert "write-off: what UNI is worth after that is nobody's" in steered.shown
    refused(steered.run("execute", key=steered.id[:12]), "is not ready before")


def test_hostile_proposals_are_named(steered: Steered) -> None:
    """A methodology of a stranger, a feed that lies by 4 %, a proposer more: scheduled without any tool."""
    lying = steered.feed_says(steered.answer("UNI") * 104 // 100)
    stranger = steered.account.deploy(ape.project.PostedMethodology)
    feed = (steered.token("UNI"), lying, 7_200, 0, 0, 0, 0)
    role = bytes(keccak(text="PROPOSER_ROLE"))
    for where, contract, function, *arguments in (
        ("rebalancer", "Rebalancer", "setMethodology", stranger.address),
        ("oracle", "ChainlinkOracle", "setFeed", feed),
        ("timelock", "Timelock", "grantRole", role, STRANGER),
    ):
        steered.schedule(steered.book[where], encode_call(owner_abi.function(contract, function), *arguments))
    ok(steered.run("list"))
    for line in (
        f"warning: {stranger.address} has none of this project's code: a stranger's contract",
        f"warning: feed of UNI replaced: {lying}, which the fund's file does not name; it says ",
        ", 4.00 % from the price in force, ",
        f"warning: role granted: {STRANGER} may schedule whatever the owner can do",
    ):
        assert line in steered.shown, steered.shown


def test_while_a_month_is_traded(steered: Steered) -> None:
    rebalancer = ape.project.Rebalancer.at(steered.book["rebalancer"])
    steered.pass_to(PERIOD_START + 60)
    rebalancer.determine(sender=steered.account)
    ok(steered.run("act", what="veto"))
    assert "Rebalancer.veto: the determined period passes" in steered.shown
    steered.pass_to(EXECUTION + 60)
    rebalancer.start(sender=steered.account)
    nonce = steered.account.nonce
    steered.edit(set_field("limits", "loss_budget")("0.6 %"))
    between = "a month is being traded (TradingOpen); do it between months"
    ok(steered.run("plan"), 2)
    assert f"call 1 would be refused now: {between}" in steered.shown
    refused(steered.run("propose"), "Rebalancer.setLimits would be refused now", between)
    assert steered.account.nonce == nonce
    refused(steered.run("execute", key="all-ready"), "execute: would be refused", "no determination to veto")
    ok(steered.run("act", what="end-month"))
    key = steered.id
    steered.pass_delay()
    ok(steered.run("execute", key=key))
    assert not rebalancer.trading()
    ok(steered.run("propose"))


def test_what_passes_now_and_not_after_the_delay(steered: Steered) -> None:
    """A guardian's suspension is over by itself before it could be resumed."""
    uni = steered.token("UNI")
    ape.project.Rebalancer.at(steered.book["rebalancer"]).suspend(uni, sender=steered.account)
    ok(steered.run("act", what="resume", arguments=("UNI",)))
    late = steered.run("act", what="resume", arguments=("UNI",), delay="8 days")
    refused(late, "Rebalancer.resume would be refused after the delay", "UNI is not suspended (NotSuspended)")
    for delay, words in (("1 day", "expected at least the timelock's 2 days"), ("soon", "delay: found 'soon'")):
        refused(steered.run("act", what="resume", arguments=("UNI",), delay=delay), words)


def test_a_feed_that_is_wrong_is_corrected(steered: Steered) -> None:
    uni, right = steered.component("UNI"), steered.answer("UNI")
    other = steered.feed_says(right * 2)
    band = {"lowest": f"{right * 3 // 2 / 10**8}", "highest": f"{right * 3 / 10**8}"}
    steered.edit(set_field("components", uni, "feed")({"address": other, "max_age": "2 hours", **band}))
    refused(steered.run("propose"), "(FeedsDisagree)", "give the new one a band and --correct UNI")
    ok(steered.run("propose", correct=("UNI",)))
    assert "warning: a correction: the new feed need not agree with the old one" in steered.shown
    assert ", 100.00 % from the price in force, " in steered.shown
    key = steered.id
    steered.pass_delay()
    ok(steered.run("execute", key=key))
    ok(steered.run("plan"))
    assert steered.view("oracle", "price(address)", "uint256", steered.token("UNI")) == right * 2 * 10**10


def test_a_candidate_more(steered: Steered) -> None:
    """One that was left out at first: its first feed, its supply, and its place in the list."""
    last = steered.raw["components"][-1]
    steered.edit(lambda fund: fund["components"].pop())
    ok(steered.run("propose"))
    key = steered.id
    steered.pass_delay()
    ok(steered.run("execute", key=key))
    newcomer = {**last, "supply": last["supply"] + 1_000, "state": "active"}
    steered.edit(lambda fund: fund["components"].append(newcomer))
    ok(steered.run("plan"), 2)
    for line in (
        f"components ({last['symbol']}): none -> source the fund's posted_supply, state active, known_supply ",
        f"warning: a candidate comes in: {last['symbol']} ({last['token']})",
        "the next determination, if it were made now:",
    ):
        assert line in steered.shown, steered.shown
    ok(steered.run("propose"))
    key = steered.id
    steered.pass_delay()
    ok(steered.run("execute", key=key))
    ok(steered.run("plan"))


def test_another_rule_is_another_methodology(steered: Steered) -> None:
    steered.edit(set_field("methodology", "cap_weight")("30 %"))
    ok(steered.run("plan"), 2)
    assert "methodology.cap_weight: 25 % -> 30 % (no call can change it: deploy another methodology" in steered.shown
    ok(steered.run("methodology"))
    assert steered.shown.startswith("MarketCap at 0x")
    address = steered.shown.split()[2].rstrip(";")
    ok(steered.run("act", what="methodology", arguments=(address,)))
    assert "warning: another methodology: it decides what the fund holds" in steered.shown
    assert "stranger" not in steered.shown and "owned by" not in steered.shown
    key = steered.id
    steered.pass_delay()
    ok(steered.run("execute", key=key))
    ok(steered.run("plan"))
    assert steered.shown.startswith("the address book is not as file and chain: govern book\nnothing to change")
    ok(steered.run("book"))
    assert Book.load(steered.book_file)["methodology"] == address
    ok(steered.run("book"))
    assert steered.shown == "the address book is as file and chain\n"
    ok(steered.run("plan"))
    assert steered.shown.startswith("nothing to change")
