"""`check` on the fork: contracts, owners, feeds, pools and states made wrong have their findings, with remedies."""

from __future__ import annotations

import json
from pathlib import Path

import ape
from web3 import Web3

from ballast.abi import call_data
from ballast.units import DAY_S
from lab.localnet.rpc import send
from lab.localnet.world import World
from tests.helpers.chain import Chain
from tests.helpers.spoiled import REVERTS
from tests.keeper.checking import Check, Report
from tests.keeper.deployed_fund import Field
from tests.keeper.test_commands import changed_book

DEAD = "0x000000000000000000000000000000000000dEaD"
RESERVES_SLOT = 8
"""Where a pair keeps its reserves."""


def test_contracts_that_are_missing_or_others(check: Check, field: Field, tmp_path: Path) -> None:
    missing = check(BALLAST_BOOK=changed_book(field, tmp_path, contracts={"opener": DEAD}))
    missing.only_failures("contract", "wiring")
    assert missing.levels("contract")["opener"] == "failure"
    missing.line("contract", "failure", f"no contract at {DEAD} on chain 1")
    missing.line("wiring", "failure", f"the address book says {DEAD}")

    lens = field.book["lens"]
    code = bytes(field.w3.eth.get_code(Web3.to_checksum_address(lens)))
    remark = code[:-20] + bytes(18) + code[-2:]  # metadata is no part of what it does
    field.rpc.request("anvil_setCode", lens, "0x" + remark.hex())
    check().line("contract", "ok", "FundLens of this release")
    field.rpc.request("anvil_setCode", lens, "0x" + (code[:-53] + b"\0" + code[-53:]).hex())
    other = check()
    other.only_failures()
    other.line("contract", "warning", "other code than FundLens")
    filler = field.w3.eth.get_code(Web3.to_checksum_address(field.book["filler"]))
    field.rpc.request("anvil_setCode", lens, "0x" + filler.hex())
    wrong = check()
    assert wrong.status == 1
    wrong.line("contract", "failure", "is no FundLens", "constituents(address)")
    wrong.line("depth", "failure", "could not be looked at")
    assert wrong.levels("owner") == {"timelock": "ok"}


def test_owners_and_the_timelock(check: Check, field: Field, chain: Chain, tmp_path: Path) -> None:
    slower = check(BALLAST_BOOK=changed_book(field, tmp_path, timelock_delay=field.config.timelock_delay + 1))
    slower.only_failures("owner")
    slower.line("owner", "failure", "deployed with 48.0003 h")
    check(BALLAST_BOOK=changed_book(field, tmp_path, timelock_delay=None)).line("owner", "warning", "does not say")
    timelock = chain.impersonate(field.book["timelock"])
    send(chain.rpc, timelock, field.book["oracle"], call_data("transferOwnership(address)", DEAD), gas=10**6)
    send(chain.rpc, chain.impersonate(DEAD), field.book["oracle"], call_data("acceptOwnership()"), gas=10**6)
    found = check()
    found.only_failures("owner")
    assert found.levels("owner")["oracle"] == "failure"


def test_the_poster_and_what_it_should_post(check: Check, field: Field, chain: Chain) -> None:
    found = check()
    found.line("poster", "ok", "none, the timelock alone posts supplies")
    found.line("supplies", "ok", "14 posted, the oldest of 2021-")
    posted, timelock = field.book["posted_supply"], chain.impersonate(field.book["timelock"])
    account = field.account.address

    def named(poster: str) -> Report:
        send(chain.rpc, timelock, posted, call_data("setPoster(address)", poster), gas=10**6)
        return check()

    found = named(DEAD)
    found.line("poster", "ok", f"{DEAD} may post supplies")
    assert found.levels("roles") == {account: "ok"}
    named(account).line("roles", "warning", f"is poster of {field.book.fund}")
    guardian = ape.accounts.test_accounts[0].address
    named(guardian).line("poster", "warning", f"{guardian} is the guardian as well")
    chain.move_to(chain.now() + 100 * DAY_S)
    stale = check()
    stale.line("supplies", "warning", "too old at the next determination", "UNI", "COMP")


def test_another_methodology(check: Check, field: Field, tmp_path: Path) -> None:
    found = check(BALLAST_BOOK=changed_book(field, tmp_path, contracts={"methodology": field.book["opener"]}))
    found.only_failures("contract", "owner")
    found.line("wiring", "warning", "the rebalancer's is", field.book["methodology"])


def test_a_key_with_roles(check: Check, field: Field) -> None:
    deployer = ape.accounts.test_accounts[0]
    found = check(BALLAST_PRIVATE_KEY=str(deployer.private_key))
    found.only_failures()
    line = found.line("roles", "warning", "guardian", "fee recipient", "proposer of the timelock")
    assert line["subject"] == deployer.address
    assert "owner of" not in line["text"] and "admin" not in line["text"]


def test_feeds_that_die(check: Check, field: Field, chain: Chain, world: World) -> None:
    rest = [token.address for token in world.tokens if token.symbol != "UNI"]
    chain.move_to(chain.now() + 3 * 3600)
    field.clock._market.post_feeds([*rest, world.weth])
    old = check()
    old.only_failures("feed")
    old.line("feed", "failure", "s old, expected 0 to 7200 s")
    assert [symbol for symbol, level in old.levels("feed").items() if level != "ok"] == ["UNI"]
    assert old.levels("depth")["UNI"] == "warning"
    feed = world.token("UNI").feed
    field.rpc.request("anvil_setCode", feed, "0x")
    check().line("feed", "failure", f"the feed {feed} does not answer")
    aave = chain.at("ReferenceFeed", world.token("AAVE").feed)
    chain.send(aave.post(-1, chain.now()), chain.account("poster"))
    check().line("feed", "failure", "answers -1")


def test_pools_that_are_drained(check: Check, field: Field, chain: Chain, world: World) -> None:
    aave, trader = world.token("AAVE"), chain.account("drain")
    amount = 10**6 * chain.read(chain.at("ReferenceToken", aave.address).balanceOf(aave.pools[0].pair))
    chain.send(chain.at("ReferenceToken", aave.address).mint(trader, amount), trader)
    send(
        chain.rpc, trader, aave.address, call_data("approve(address,uint256)", world.uniswap_router, amount), gas=10**6
    )
    swap = "swapExactTokensForTokens(uint256,uint256,address[],address,uint256)"
    path = [aave.address, world.weth]
    send(chain.rpc, trader, world.uniswap_router, call_data(swap, amount, 0, path, trader, 2**40), gas=10**6)
    found = check()
    found.only_failures("depth")
    assert found.levels("depth")["AAVE"] == "failure"
    found.line("depth", "failure", "stand -100.00 % from the oracle")

    field.rpc.request("anvil_setStorageAt", aave.pools[0].pair, f"0x{RESERVES_SLOT:064x}", "0x" + "00" * 32)
    empty = check()
    empty.only_failures("depth", "pool")
    empty.line("pool", "failure", "has no reserves")
    empty.line("depth", "failure", "no pool against WETH with anything in it")


def test_pools_that_are_not_what_the_book_says(check: Check, field: Field, tmp_path: Path) -> None:
    raw = json.loads(field.book_path.read_text())["candidates"]
    first, second = raw[0]["pools"][0], raw[1]["pools"][0]
    first["pair"], second["pair"] = second["pair"], DEAD
    found = check(BALLAST_BOOK=changed_book(field, tmp_path, candidates=raw))
    found.line("pool", "failure", "trades ", f"expected {raw[0]['token']} and")
    found.line("pool", "failure", f"{DEAD}: no contract there")
    raw[0]["decimals"] = 8
    stranger = raw.pop(next(i for i, row in enumerate(raw) if row["symbol"] == "AAVE"))
    tokens = check(BALLAST_BOOK=changed_book(field, tmp_path, candidates=raw))
    tokens.line("token", "failure", "has 18 decimals, counted with 8 and 18")
    assert tokens.line("token", "warning", "does not name it")["subject"] == stranger["token"]


def test_the_schedule(check: Check, field: Field, chain: Chain) -> None:
    field.to_determination()
    check().line("schedule", "ok", "determine is due now")
    guardian = chain.impersonate(ape.accounts.test_accounts[0].address)
    send(chain.rpc, guardian, field.book["rebalancer"], call_data("pauseFor(uint256)", 3600), gas=10**6)
    found = check()
    found.line("schedule", "warning", "paused until 2021-03-25 01:00")
    found.line("brakes", "warning", "paused until 2021-03-25 01:00", "may pause for 71 h of any 30 days")


def test_the_states_of_components(check: Check, field: Field, chain: Chain) -> None:
    """What is suspended, written off or cannot be read is told, and fails nothing: the keeper goes on without it."""
    found = check()
    assert found.levels("state") == {field.book.fund: "ok"}
    found.line("brakes", "ok", "not paused", "may pause for 72 h", "and may veto or end a month")
    names = ("UNI", "LRC", "SNX")
    uni, lrc, snx = (next(c.token for c in field.book.candidates if c.symbol == name) for name in names)
    owner = chain.impersonate(field.book["timelock"])
    field.to_determination()
    send(chain.rpc, owner, field.book["rebalancer"], call_data("determine()"), gas=15_000_000)
    for signature, token in (("suspend", uni), ("suspend", lrc), ("writeOff", lrc)):
        send(chain.rpc, owner, field.book["rebalancer"], call_data(f"{signature}(address)", token), gas=5_000_000)
    for token in (lrc, snx):
        chain.rpc.request("anvil_setCode", token, REVERTS)
    found = check()
    found.only_failures()
    assert found.levels("state") == dict.fromkeys(names, "warning")
    found.line("state", "warning", "suspended until the owner ends it", "redeem pays it")
    found.line("state", "warning", "written off, balance not readable")
    found.line("state", "warning", "balance not readable: not traded", "redeem has to skip it")


def test_what_the_guardian_has_used(check: Check, field: Field, chain: Chain) -> None:
    field.to_determination()
    guardian = chain.impersonate(ape.accounts.test_accounts[0].address)
    for call in (call_data("determine()"), call_data("veto()"), call_data("pauseFor(uint256)", 3 * 86_400)):
        send(chain.rpc, guardian, field.book["rebalancer"], call, gas=15_000_000)
    check().line("brakes", "warning", "may pause for 0 h", "may not veto or end a month now: it did in 2021-04")
