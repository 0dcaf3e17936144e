"""`check` on the fork: a healthy fund has no failure, each thing made wrong has its line, remedy and exit status."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ape
import pytest
import requests
from eth_account import Account
from web3 import Web3

from ballast.abi import call_data
from ballast.units import DAY_S, ETHER, GWEI
from keeper.check import files
from keeper.sending.journal import Journal
from lab.localnet.rpc import send
from lab.localnet.world import World
from tests.helpers.chain import Chain
from tests.helpers.spoiled import REVERTS
from tests.helpers.waiting import PATIENCE_S, dead_port
from tests.keeper.deployed_fund import Field
from tests.keeper.endpoints import KEY
from tests.keeper.own_answers import answering
from tests.keeper.test_commands import Keeper, changed_book

DEAD = "0x000000000000000000000000000000000000dEaD"
RESERVES_SLOT = 8
"""Where a pair keeps its reserves."""


@dataclass(frozen=True)
class Report:
    """What one run of `check --json` said."""

    status: int
    lines: list[dict[str, str]]

    def levels(self, check: str) -> dict[str, str]:
        """The worst level of each subject of a check."""
        order = ["ok", "warning", "failure"]
        found: dict[str, str] = {}
        for line in self.lines:
            if line["check"] == check:
                found[line["subject"]] = max(found.get(line["subject"], "ok"), line["level"], key=order.index)
        return found

    def only_failures(self, *checks: str) -> None:
        """Nothing but these checks has failed, each of them has, and the exit status says so."""
        assert {line["check"] for line in self.lines if line["level"] == "failure"} == set(checks)
        assert self.status == (1 if checks else 0)

    def line(self, check: str, level: str, *words: str) -> dict[str, str]:
        """The line of a check at a level whose text has all the words; it has a remedy unless it is ok."""
        for line in self.lines:
            if (line["check"], line["level"]) == (check, level) and all(word in line["text"] for word in words):
                assert bool(line["remedy"]) == (level != "ok")
                return line
        raise AssertionError(f"no {level} of {check} with {words}: {[x for x in self.lines if x['check'] == check]}")


Check = Callable[..., Report]


@pytest.fixture
def check(
    field: Field, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Check]:
    """Runs it, in this process; sends nothing, and says nothing secret."""
    keeper = Keeper(field, tmp_path, monkeypatch, capsys)

    def run(**changes: str | None) -> Report:
        before = field.w3.eth.block_number
        done = keeper("check", "--json", **changes)
        assert field.w3.eth.block_number == before
        for secret in (KEY, str(field.account.private_key)):
            assert secret not in done.stdout + done.stderr
        found: dict[str, Any] = json.loads(done.stdout)
        lines: list[dict[str, str]] = found["lines"]
        levels = [line["level"] for line in lines]
        assert (found["failures"], found["warnings"]) == (levels.count("failure"), levels.count("warning"))
        assert found["passed"] == (found["failures"] == 0)
        return Report(done.returncode, lines)

    yield run
    field.rpc.request("evm_setAutomine", True)


# A healthy fund


def test_a_healthy_fund_has_no_failure(check: Check, field: Field, tmp_path: Path) -> None:
    found = check()
    found.only_failures()
    book = field.book
    assert found.levels("contract") == dict.fromkeys(book.contracts, "ok")
    assert set(found.levels("feed")) == set(found.levels("depth")) == {c.symbol for c in book.candidates}
    assert set(found.levels("pool")) == {f"{c.symbol} {p.venue}" for c in book.candidates for p in c.pools}
    assert set(found.levels("pool").values()) == set(found.levels("feed").values()) == {"ok"}
    for name in ("address book", "journal", "disk", "answers", "chain id", "block hash", "events", "nonce"):
        assert set(found.levels(name).values()) == {"ok"}, name
    for name in ("access lists", "account", "balance", "price of gas", "wiring", "owner", "roles", "token"):
        assert set(found.levels(name).values()) == {"ok"}, name
    found.line("head", "warning", "anvil", "days old")
    found.line("agreement", "warning", "one endpoint only")
    assert found.line("key", "warning", "in the clear")["subject"] == field.account.address
    found.line("schedule", "ok", "determine is due now")
    assert not (tmp_path / "keeper.sqlite").exists()


def test_tables_for_people(field: Field, tmp_path: Path) -> None:
    done = field.command(tmp_path, "check")
    assert (done.returncode, done.stderr) == (0, "")
    assert "14 of them" in done.stdout  # feeds, in one row
    assert "-> name a second one" in done.stdout
    assert done.stdout.strip().endswith("the keeper can be started")
    wrong = field.command(tmp_path, "check", BALLAST_CHAIN_ID="5")
    assert wrong.returncode == 1
    assert wrong.stdout.strip().endswith("put the failures right before you start the keeper")


# Configuration


def test_settings_that_cannot_work(check: Check, tmp_path: Path) -> None:
    found = check(BALLAST_MAX_FEE_GWEI="much")
    found.only_failures("configuration")
    found.line("configuration", "failure", "BALLAST_MAX_FEE_GWEI: 'much' is not usable")


def test_books(check: Check, field: Field, tmp_path: Path) -> None:
    found = check(BALLAST_BOOK=f"{field.book_path}, {tmp_path / 'none.json'}")
    found.only_failures("address book")
    found.line("address book", "failure", "no such file")
    assert set(found.levels("pool").values()) == {"ok"}  # the other fund is looked at all the same
    twice = check(BALLAST_BOOK=f"{field.book_path},{changed_book(field, tmp_path)}")
    twice.only_failures("address book")
    twice.line("address book", "failure", "is the same fund as")
    other = check(BALLAST_BOOK=changed_book(field, tmp_path, chain_id=10))
    other.only_failures("address book")
    other.line("address book", "failure", "is for chain 10, the keeper works on chain 1")


def test_a_wrong_chain(check: Check) -> None:
    found = check(BALLAST_CHAIN_ID="5")
    found.only_failures("address book", "chain id", "fund")
    found.line("chain id", "failure", "is on chain 1, expected 5")
    found.line("fund", "failure", "no endpoint answers on chain 5")


def test_no_key(check: Check, field: Field) -> None:
    found = check(BALLAST_PRIVATE_KEY=None)
    found.only_failures("key")
    assert not found.levels("roles") and set(found.levels("pool").values()) == {"ok"}
    check(BALLAST_PRIVATE_KEY="0x" + "12" * 31).line("key", "failure", "not a private key")


def test_files_that_others_may_read(check: Check, tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("")
    file.chmod(0o644)
    check().line("file", "warning", "mode 644")
    file.chmod(0o600)
    check().line("file", "ok", "mode 600")


# Endpoints


@pytest.fixture
def dead() -> Iterator[str]:
    """URL of an endpoint that is not there."""
    with dead_port() as port:
        yield f"http://127.0.0.1:{port}/{KEY}"


def test_a_dead_endpoint_beside_a_sound_one(check: Check, field: Field, dead: str) -> None:
    found = check(BALLAST_RPC_URL=f"{dead}, {field.url}")
    found.only_failures("answers")
    assert found.line("answers", "failure", "does not answer")["subject"] == dead.removesuffix(f"/{KEY}")[7:]
    assert set(found.levels("pool").values()) == {"ok"}
    alone = check(BALLAST_RPC_URL=dead)
    alone.only_failures("answers", "fund")
    private = check(BALLAST_PRIVATE_RPC_URL=dead)
    private.only_failures("private endpoint")
    check(BALLAST_PRIVATE_RPC_URL=field.url).only_failures()


def test_an_old_head_and_a_slow_clock(check: Check, field: Field) -> None:
    name = {"result": "Geth/v1.15"}

    def geth(asked: dict[str, Any]) -> dict[str, Any] | None:
        return name if asked["method"] == "web3_clientVersion" else None

    with answering(field.url, geth) as geths:
        old = check(BALLAST_RPC_URL=geths)
        old.only_failures("head")
        old.line("head", "failure", "days old, expected at most 120 s")

    def ahead(asked: dict[str, Any]) -> dict[str, Any] | None:
        if asked["method"] != "eth_getBlockByNumber":
            return geth(asked)
        block = requests.post(field.url, json=asked, timeout=PATIENCE_S).json()["result"]
        return {"result": {**block, "timestamp": hex(4 * 10**9)}}

    with answering(field.url, ahead) as early:
        check(BALLAST_RPC_URL=early).line("head", "failure", "in the future")


def test_what_a_node_cannot_do(check: Check, field: Field) -> None:
    refused = {"error": {"code": -32601, "message": "the method does not exist"}}

    def poor(asked: dict[str, Any]) -> dict[str, Any] | None:
        by_hash = asked["method"] == "eth_call" and isinstance(asked["params"][1], dict)
        return refused if by_hash or asked["method"] in ("eth_getLogs", "eth_createAccessList") else None

    with answering(field.url, poor) as limited:
        found = check(BALLAST_RPC_URL=limited)
    found.only_failures("block hash")
    found.line("events", "warning", "no events of")
    found.line("access lists", "ok", "does not make them")


def test_a_node_that_takes_no_batches(check: Check, field: Field) -> None:
    """The keeper asks it one by one."""
    with answering(field.url, batches=False) as single:
        found = check(BALLAST_RPC_URL=single)
    found.only_failures()
    found.line("schedule", "ok", "determine is due now")
    assert set(found.levels("pool").values()) == {"ok"}


def test_endpoints_that_disagree(check: Check, field: Field) -> None:
    check(BALLAST_RPC_URL=f"{field.url},{field.url}").line("agreement", "ok", "2 see the same block")

    def fork(asked: dict[str, Any]) -> dict[str, Any] | None:
        if asked["method"] != "eth_getBlockByNumber" or asked["params"][0] == "latest":
            return None
        block = requests.post(field.url, json=asked, timeout=PATIENCE_S).json()["result"]
        return {"result": {**block, "hash": "0x" + "ab" * 32}}

    with answering(field.url, fork) as lying:
        found = check(BALLAST_RPC_URL=f"{field.url},{lying}")
    found.only_failures("agreement")
    found.line("agreement", "failure", "different blocks", "0xabababab")

    def behind(asked: dict[str, Any]) -> dict[str, Any] | None:
        if asked["method"] != "eth_getBlockByNumber" or asked["params"][0] != "latest":
            return None
        earlier = {**asked, "params": [hex(field.w3.eth.block_number - 6), False]}
        return {"result": requests.post(field.url, json=earlier, timeout=PATIENCE_S).json()["result"]}

    with answering(field.url, behind) as lagging:
        found = check(BALLAST_RPC_URL=f"{field.url},{lagging}")
    found.only_failures()
    found.line("agreement", "warning", "6 behind the best")


# Contracts


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


# Account


def test_too_little_ether(check: Check, field: Field) -> None:
    def holds(wei: int) -> None:
        field.rpc.request("anvil_setBalance", field.account.address, hex(wei))

    holds(10**15)
    broke = check()
    broke.only_failures("balance")
    broke.line("balance", "failure", "0.001 ETH; a month of 1 fund takes about 60 million gas", "60 ETH at the cap")
    holds(59 * ETHER)
    short = check()
    short.only_failures()
    assert "send 1 ETH to it" in short.line("balance", "warning", "59 ETH")["remedy"]
    check(BALLAST_MONTH_GAS="12000000").line("balance", "ok", "12 million gas", "12 ETH at the cap of 1000 gwei")
    check(BALLAST_MAX_FEE_GWEI="1").line("price of gas", "warning", "more than BALLAST_MAX_FEE_GWEI")


def test_an_account_with_code(check: Check, field: Field) -> None:
    field.rpc.request("anvil_setCode", field.account.address, "0xef0100" + "11" * 20)
    check().line("account", "warning", "delegates to 0x1111")
    field.rpc.request("anvil_setCode", field.account.address, "0x00")
    check().only_failures("account")


def pending(field: Field) -> None:
    """Somebody else with the key has sent something that is not mined."""
    field.rpc.request("evm_setAutomine", False)
    request = {"to": DEAD, "value": 1, "gas": 21_000, "gasPrice": 1_000 * GWEI, "chainId": 1}
    number = field.w3.eth.get_transaction_count(field.account.address)
    signed = Account.sign_transaction({**request, "nonce": number}, field.account.private_key)
    field.w3.eth.send_raw_transaction(signed.raw_transaction)


def write(field: Field, path: Path, nonce: int, tx_hash: str) -> None:
    with Journal(path, 1, field.account.address) as journal:
        journal.add(
            nonce=nonce,
            action="trade",
            period=0,
            recipient=DEAD,
            data="0x",
            gas=1,
            max_fee=1,
            tip=1,
            tx_hash=tx_hash,
            raw="0x",
            block=1,
        )


def test_a_transaction_of_another_process(check: Check, field: Field, tmp_path: Path) -> None:
    pending(field)
    try:
        found = check()
        found.only_failures("nonce")
        found.line("nonce", "failure", "1 pending transaction that the journal does not know, from nonce 0")
        write(field, tmp_path / "keeper.sqlite", 0, "0xa")  # had the keeper sent it, it would know it
        check().line("nonce", "ok", "1 open in the journal")
    finally:
        # A snapshot that is taken back leaves the pool as it is: the next test would mine it.
        field.rpc.request("anvil_dropAllTransactions")


def test_a_journal_of_another_chain(check: Check, field: Field, tmp_path: Path) -> None:
    path = tmp_path / "keeper.sqlite"
    write(field, path, 7, "0xa")
    check().line("nonce", "warning", "open transaction with nonce 7, the next to be mined is 0")
    with Journal(path, 1, field.account.address) as journal:
        (entry,) = journal.open()
        journal.mined(entry, succeeded=True, block=1, gas_used=1, gas_price=1)
    found = check()
    found.only_failures("nonce")
    found.line("nonce", "failure", "knows nonce 7 as mined, the chain has mined 0")


def test_a_journal_that_cannot_be_used(
    check: Check, field: Field, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "keeper.sqlite"
    with Journal(path, 1, field.account.address):
        held = check()
        held.only_failures()
        held.line("journal", "warning", "a keeper holds it")
    check().line("journal", "ok", "0 transactions")
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("BEGIN IMMEDIATE")
        locked = check()
        locked.only_failures("journal")
        locked.line("journal", "failure", "holds the database locked")
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA user_version=99")
    newer = check()
    newer.only_failures("journal", "nonce")
    newer.line("journal", "failure", "has version 99")
    path.write_text("no journal")
    check().line("journal", "failure", "is not a journal")
    check(BALLAST_JOURNAL=str(path / "keeper.sqlite")).line("journal", "failure", "is no folder")
    monkeypatch.setattr(files, "LEAST_FREE_MIB", 10**9)
    check(BALLAST_JOURNAL=str(tmp_path / "other.sqlite")).only_failures("disk")


# Feeds, pools, schedule


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
