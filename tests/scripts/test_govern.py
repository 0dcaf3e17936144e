"""A fund steered by its file: plan, propose, list, execute, cancel, on the fork."""

from __future__ import annotations

import ape
from eth_utils import to_checksum_address

from ballast.units import DAY_S, WAD
from tests.helpers.edits import set_field
from tests.scripts.conftest import SECOND_PROPOSER, Run
from tests.scripts.steered import Steered, ok, refused

STRANGER = to_checksum_address("0x" + "7b" * 20)


def test_an_unchanged_fund_has_nothing_to_change(steered: Steered) -> None:
    ok(steered.run("plan"))
    assert steered.shown.startswith(f"nothing to change: {steered.config.name} is as its file says, at block ")
    nonce = steered.account.nonce
    ok(steered.run("propose"))
    assert steered.shown.endswith("nothing to propose\n") and steered.account.nonce == nonce


def test_from_the_file_to_the_chain(steered: Steered) -> None:
    """Fee, limits and a candidate's state in one batch: shown, scheduled, listed, not ready, executed, and then there
    is nothing to change."""
    uni = steered.component("UNI")
    steered.edit(
        set_field("streaming_fee")("1.2 %"),
        set_field("limits", "loss_budget")("0.6 %"),
        set_field("components", uni, "state")("frozen"),
    )
    ok(steered.run("plan"), 2)
    for line in (
        "streaming_fee: 0.95 % -> 1.2 %",
        "limits.loss_budget: 0.5 % -> 0.6 %",
        "components (UNI).state: active -> frozen",
        "IndexToken.setStreamingFee: streaming_fee 0.95 % -> 1.2 %",
        "warning: fee raised: the holders pay 1.2 % a year, not 0.95 %",
        "by the timelock, 2 days after one of its proposers",
        "the next determination, if it were made now:",
    ):
        assert line in steered.shown, steered.shown
    assert any(line.startswith("  UNI: ") and line.endswith("-> frozen") for line in steered.shown.splitlines())

    ok(steered.run("propose"))
    key = steered.id
    assert steered.view("index_token", "streamingFee()", "uint256") == 95 * WAD // 10_000
    ok(steered.run("list"))
    assert f"id {key}" in steered.shown and " pending, ready at " in steered.shown
    assert "Rebalancer.setLimits: loss_budget 0.5 % -> 0.6 %" in steered.shown
    refused(steered.run("execute", key=key), "is not ready before", "; wait")
    refused(steered.run("execute", key="all-ready"), "nothing is ready")

    steered.pass_delay()
    ok(steered.run("list"))
    assert " ready, since " in steered.shown
    ok(steered.run("execute", key=key[:12], account=ape.accounts.test_accounts[5]))
    assert steered.view("index_token", "streamingFee()", "uint256") == 12 * WAD // 1_000
    ok(steered.run("plan"))
    assert "nothing to change" in steered.shown
    refused(steered.run("execute", key=key), "is done since")
    refused(steered.run("cancel", key=key), "is done since")
    ok(steered.run("list"))
    assert "nothing is scheduled" in steered.shown
    ok(steered.run("list", everything=True))
    assert f"id {key}" in steered.shown and " done, since " in steered.shown
    assert "IndexToken.setStreamingFee: streaming_fee 1.2 %\n" in steered.shown and "warning" not in steered.shown


def test_as_commands(steered: Steered, run_script: Run) -> None:
    """As their users run them."""
    common = [str(steered.fund), "--book", str(steered.book_file)]
    steered.edit(set_field("supply_cap")(2_000_000))
    ran = run_script("govern", "plan", *common)
    assert (ran.code, "supply_cap: " in ran.out) == (2, True), ran.errors
    ran = run_script("govern", "propose", *common, "--account", "TEST::3", "--yes")
    assert ran.code == 0, ran.errors
    ok(steered.run("list"))
    assert "2,000,000 whole shares" in steered.shown
    ran = run_script("govern", "execute", *common, "all-ready", "--account", "TEST::3", "--yes")
    assert ran.code == 1 and len(ran.error_lines) == 1, ran.errors


def test_roles_delay_and_guardian(steered: Steered) -> None:
    other = to_checksum_address("0x" + "6c" * 20)
    steered.edit(
        set_field("roles", "guardian")(STRANGER),
        set_field("roles", "fee_recipient")(other),
        set_field("roles", "proposers")(["deployer", other]),
        set_field("timelock_delay")("3 days"),
        set_field("timetable", "min_trading")("3 days"),
    )
    ok(steered.run("plan"), 2)
    for line in (
        f"roles.proposers: PROPOSER_ROLE: none -> {other}",
        f"roles.proposers: CANCELLER_ROLE: {to_checksum_address(SECOND_PROPOSER)} -> none",
        f"Timelock.grantRole: PROPOSER_ROLE to {other}",
        "timelock_delay: 2 days -> 3 days",
        "timetable.min_trading: 2 days -> 3 days",
        f"another guardian: {STRANGER}",
    ):
        assert line in steered.shown, steered.shown
    ok(steered.run("propose"))
    key = steered.id
    steered.pass_delay()
    ok(steered.run("execute", key=key))
    ok(steered.run("plan"))
    assert steered.view("timelock", "getMinDelay()", "uint256") == 3 * DAY_S
    assert steered.view("rebalancer", "guardian()", "address") == STRANGER.lower()


def test_a_feed_a_supply_and_a_candidate_less(steered: Steered) -> None:
    """A feed with another band and age, a supply given anew, a candidate that leaves the file."""
    raw, uni = steered.raw, steered.component("UNI")
    last, other = raw["components"][-1]["symbol"], steered.feed_says(steered.answer("UNI") * 101 // 100)
    steered.edit(
        set_field("components", uni, "feed")({"address": other, "max_age": "3 hours"}),
        set_field("components", uni, "supply")(raw["components"][uni]["supply"] + 1_000_000),
        lambda fund: fund["components"].pop(),
    )
    ok(steered.run("plan"), 2)
    for line in (
        "components (UNI).feed.max_age: 2 hours -> 3 hours",
        f"feed of UNI replaced: {other} (the file's feed of UNI); it says ",
        "components (UNI).supply: ",
        "components (UNI).known_supply: ",
        f"components ({last}): candidate -> none",
        f"warning: {last} will be sold, as no candidate any more",
    ):
        assert line in steered.shown, steered.shown
    ok(steered.run("propose"))
    assert "not tried as of" in steered.shown and "calls of the oracle" in steered.shown
    key = steered.id
    steered.pass_delay()
    ok(steered.run("execute", key=key))
    ok(steered.run("plan"))
    listed = steered.view("methodology", "candidates()", "(address,address,uint8,uint88)[]")
    assert len(listed) == len(raw["components"]) - 1
    assert steered.view("posted_supply", "supply(address)", "uint256", steered.token("UNI")) == (
        raw["components"][uni]["supply"] + 1_000_000
    )


def test_cancelling(steered: Steered) -> None:
    steered.edit(set_field("supply_cap")(2_000_000))
    stranger = ape.accounts.test_accounts[6]
    refused(steered.run("propose", account=stranger), "may not propose, as it lacks PROPOSER_ROLE")
    ok(steered.run("propose"))
    key, nonce = steered.id, steered.account.nonce
    refused(steered.run("cancel", key=key, account=stranger), "may not cancel, as it lacks CANCELLER_ROLE")
    refused(steered.run("cancel", key="0x" + "ab" * 32), "names no operation of the timelock")
    assert steered.account.nonce == nonce
    ok(steered.run("cancel", key=key[:10]))
    assert steered.shown.endswith(f"operation {key[:10]}: cancelled\n")
    refused(steered.run("cancel", key=key), "is cancelled since")
    ok(steered.run("plan"), 2)


def test_what_the_contracts_would_refuse(steered: Steered) -> None:
    """Simulated: the error in words, nothing sent."""
    nonce, uni, comp = steered.account.nonce, steered.component("UNI"), steered.component("COMP")
    feeds = [steered.raw["components"][place]["feed"] for place in (uni, comp)]
    steered.edit(set_field("components", uni, "feed")(feeds[1]))
    ok(steered.run("plan"), 2)
    assert "call 1 would be refused now: UNI: the new feed says" in steered.shown
    refused(steered.run("propose"), "ChainlinkOracle.setFeed would be refused now", "(FeedsDisagree)", "--correct UNI")
    refused(steered.run("propose", correct=("UNI",)), "is no band (UnfitBand)")
    assert steered.account.nonce == nonce


def test_file_and_chain_of_different_funds(steered: Steered) -> None:
    steered.edit(set_field("name")("Another Fund"))
    refused(steered.run("plan"), "name: the file is of 'Another Fund', the address book of", "of one fund")
    steered.edit(set_field("name")(steered.config.name), set_field("chain_id")(5))
    refused(steered.run("plan"), "chain_id: the file is for 5, the address book for 1", "--book")


def test_what_cannot_change_is_said_so(steered: Steered) -> None:
    steered.edit(set_field("symbol")("NEW"), set_field("methodology", "cap_weight")("0.3"))
    ok(steered.run("plan"), 2)
    for line in (
        "symbol: ",
        "methodology.cap_weight: 25 % -> 30 %",
        "no call can change it: deploy another methodology",
    ):
        assert line in steered.shown, steered.shown
    ok(steered.run("propose"))
    assert steered.shown.endswith("nothing to propose\n")
