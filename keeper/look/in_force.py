"""Reads the owner's settings of a fund that are in force in one block."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from eth_utils import to_checksum_address
from web3 import Web3

from ballast.abi import call_data, decode_view
from ballast.book import Book
from ballast.parts import MAX_PRICE
from ballast.rule import packed
from ballast.rule.methodology import left_by
from ballast.steering.in_force import Fields, InForce, row
from ballast.values import NO_ADDRESS
from keeper.errors import ChainError
from keeper.look import contracts
from keeper.look.retry import Head, ask_all
from keeper.look.rpc.pool import in_block
from keeper.look.timelock import Timelock
from keeper.state import Phase

_OWNED = ("index_token", "rebalancer", "oracle", "first_oracle", "posted_supply", "locked_supply", "upkeep")
_SOURCE = ["address", "uint32", "uint8", "uint8", "uint128", "uint128", "uint128"]
"""Types of the oracle's `Source`: feed, maximum age, decimals, quote, ratio, lowest, highest."""
_ANCHOR = ["address", "uint32", "uint64"]
_SUPPLY_BASIS = b"supply".ljust(32, b"\0")


@dataclass
class _Questions:
    """Collects view calls and sends them in one round trip."""

    w3: Web3
    block: Any
    asked: list[tuple[str, str, str, Callable[[str], tuple[Any, ...] | None]]] = field(default_factory=list)

    def view(self, key: str, to: str, signature: str, returns: Sequence[str], *args: Any) -> None:
        def decoded(data: str) -> tuple[Any, ...] | None:
            values = decode_view(bytes.fromhex(data.removeprefix("0x")), returns)
            return None if values is None else tuple(map(_checksummed, returns, values))

        self.asked.append((key, to, call_data(signature, *args), decoded))

    def function(self, key: str, contract: str, to: str, name: str, *args: Any) -> None:
        """Adds a view of a contract with an ABI in keeper/abi: its structs have named fields."""

        def decoded(data: str) -> tuple[Any, ...] | None:
            try:
                return contracts.returned(contract, name, data)
            except ValueError:
                return None

        self.asked.append((key, to, contracts.call_data(contract, name, *args), decoded))

    def answers(self) -> dict[str, Any]:
        """Sends the calls; returns by key the value, or a tuple of several. Raises ChainError."""
        calls: list[Any] = [
            ("eth_call", [{"to": to_checksum_address(to), "data": data}, self.block]) for _, to, data, _ in self.asked
        ]
        results = ask_all(self.w3, calls, "what the owner has set") if calls else []
        found = {}
        for (key, _, _, decoded), result in zip(self.asked, results, strict=True):
            values = decoded(result)
            if values is None:
                raise ChainError(f"what the owner has set: no sound answer for {key}")
            found[key] = values[0] if len(values) == 1 else values
        self.asked = []
        return found


def read_in_force(w3: Web3, book: Book, head: Head, timelock: Timelock, tokens: Iterable[str] = ()) -> InForce:
    """What is in force in a block. `tokens`: further tokens, besides the fund's own, whose feeds to read. Raises
    ChainError."""
    questions = _Questions(w3, in_block(head.hash))
    once = _once(questions, book)
    methodology = str(once["methodology"])
    rule, candidates, weights = _methodology(questions, methodology)
    wanted = {NO_ADDRESS, *tokens, *candidates, *weights, *(c.token for c in book.candidates)}
    ordered = sorted(wanted, key=lambda token: int(token, 16))
    found = _by_token(questions, book, ordered)
    owners = {name: once[f"{name}.owner"] for name in _OWNED if name in book.contracts}
    questions.view("owner", methodology, "owner()", ["address"])
    decided = left_by([packed.decision(c._asdict()) for c in once["decided"]], started=_started(once))
    return InForce(
        block=head.number,
        time=head.time,
        trading=bool(once["trading"]),
        limits={**row(once["limits"]), "band": once["band"]},
        timetable=row(once["timetable"]),
        streaming_fee=once["fee"],
        fee_recipient=once["recipient"],
        supply_cap=once["cap"],
        guardian=once["guardian"],
        methodology=methodology,
        rule=rule,
        candidates=candidates,
        weights=weights,
        feeds=found.feeds,
        anchors=found.anchors,
        posted=found.posted,
        lockers=found.lockers,
        prices=dict(zip(ordered, found.prices, strict=True)),
        min_delay=once["delay"],
        roles=timelock.roles,
        owners=owners | {"methodology": questions.answers()["owner"]},
        confirmed={d.token: d.basis for d in decided if d.basis},
        fixed=_fixed(once, book, rule),
        poster=once.get("poster"),
        split=(once["split.recipient"], once["split.part"]) if "fee_split" in book.contracts else None,
    )


def _once(questions: _Questions, book: Book) -> dict[str, Any]:
    """Values that exist once per fund."""
    index, rebalancer = book["index_token"], book["rebalancer"]
    for key, name in (("trading", "trading"), ("limits", "limits"), ("timetable", "timetable"), ("month", "month")):
        questions.function(key, "Rebalancer", rebalancer, name)
    questions.view("methodology", rebalancer, "methodology()", ["address"])
    questions.view("band", rebalancer, "band()", ["uint64"])
    questions.view("guardian", rebalancer, "guardian()", ["address"])
    questions.function("decided", "FundLens", book["lens"], "constituents", rebalancer)
    questions.view("fee", index, "streamingFee()", ["uint256"])
    questions.view("recipient", index, "feeRecipient()", ["address"])
    questions.view("cap", index, "supplyCap()", ["uint256"])
    questions.view("name", index, "name()", ["string"])
    questions.view("symbol", index, "symbol()", ["string"])
    questions.view("delay", book["timelock"], "getMinDelay()", ["uint256"])
    for name in _OWNED:
        if name in book.contracts:
            questions.view(f"{name}.owner", book[name], "owner()", ["address"])
    first = book.contracts.get("first_oracle", book["oracle"])
    questions.view("sequencer", first, "SEQUENCER()", ["address"])
    questions.view("grace", first, "GRACE()", ["uint256"])
    if "first_oracle" in book.contracts:
        questions.view("block_time", book["oracle"], "BLOCK_TIME()", ["uint256"])
        questions.view("factory", book["oracle"], "FACTORY()", ["address"])
    if "upkeep" in book.contracts:
        questions.function("terms", "Upkeep", book["upkeep"], "terms")
    if "posted_supply" in book.contracts:
        questions.view("poster", book["posted_supply"], "poster()", ["address"])
    if "fee_split" in book.contracts:
        questions.view("split.recipient", book["fee_split"], "RECIPIENT()", ["address"])
        questions.view("split.part", book["fee_split"], "PART()", ["uint256"])
    return questions.answers()


def _fixed(once: Mapping[str, Any], book: Book, rule: Fields | None) -> dict[str, Any]:
    """Values that no call can change, by their path in the fund file."""
    fixed = {
        "name": once["name"],
        "symbol": once["symbol"],
        "sequencer.address": once["sequencer"],
        "sequencer.grace": once["grace"],
    }
    if "first_oracle" in book.contracts:
        fixed |= {"block_time": once["block_time"], "uniswap_v3_factory": once["factory"]}
    if "upkeep" in book.contracts:
        fixed |= {f"upkeep.{name}": value for name, value in row(once["terms"]).items()}
    return fixed | {f"methodology.{name}": value for name, value in (rule or {}).items()}


def _started(once: Mapping[str, Any]) -> bool:
    return Phase(once["month"].phase) in (Phase.IDLE, Phase.TRADING)


def _methodology(questions: _Questions, methodology: str) -> tuple[Fields | None, dict[str, Fields], dict[str, int]]:
    """Rule and candidates of a market-cap methodology; otherwise the weights, taking it for one with fixed weights."""
    questions.view("basis", methodology, "BASIS()", ["bytes32"])
    if questions.answers()["basis"] == _SUPPLY_BASIS:
        questions.function("rule", "MarketCap", methodology, "rule")
        questions.function("candidates", "MarketCap", methodology, "candidates")
        found = questions.answers()
        listed = {c.token: row(c) for c in found["candidates"]}
        return row(found["rule"]), {t: {k: v for k, v in c.items() if k != "token"} for t, c in listed.items()}, {}
    questions.function("weights", "FixedWeight", methodology, "weights")
    return None, {}, {w.token: w.weight for w in questions.answers()["weights"]}


@dataclass(frozen=True)
class _ByToken:
    feeds: dict[str, Fields]
    anchors: dict[str, Fields]
    posted: dict[str, tuple[int, int]]
    lockers: dict[str, tuple[str, ...]]
    prices: list[int]


def _by_token(questions: _Questions, book: Book, tokens: list[str]) -> _ByToken:
    first = book.contracts.get("first_oracle", book["oracle"])
    anchored, supplies = "first_oracle" in book.contracts, "posted_supply" in book.contracts
    for token in tokens:
        questions.view(f"feed {token}", first, "sources(address)", _SOURCE, token)
        if anchored:
            questions.view(f"anchor {token}", book["oracle"], "anchors(address)", _ANCHOR, token)
        if supplies:
            questions.view(f"posted {token}", book["posted_supply"], "supply(address)", ["uint256", "uint256"], token)
            questions.view(f"lockers {token}", book["locked_supply"], "lockers(address)", ["address[]"], token)
    questions.view("prices", first, "prices(address[])", ["uint256[]"], tokens)
    found = questions.answers()
    feeds = {token: _feed(found[f"feed {token}"]) for token in tokens}
    anchors = {t: dict(zip(("pool", "window", "bound"), found[f"anchor {t}"], strict=True)) for t in tokens if anchored}
    return _ByToken(
        feeds={token: feed for token, feed in feeds.items() if feed["feed"] != NO_ADDRESS},
        anchors={token: anchor for token, anchor in anchors.items() if anchor["pool"] != NO_ADDRESS},
        posted={t: found[f"posted {t}"] for t in tokens if supplies and found[f"posted {t}"][0]},
        lockers={t: tuple(found[f"lockers {t}"]) for t in tokens if supplies},
        prices=list(found["prices"]),
    )


def _feed(source: Sequence[Any]) -> dict[str, Any]:
    """A `Source` in the form of `setFeed`'s argument."""
    feed, max_age, _, quote, ratio, lowest, highest = source
    none = lowest == 0 and highest == MAX_PRICE
    band = {"lowest": 0, "highest": 0} if none else {"lowest": lowest, "highest": highest}
    return {"feed": feed, "max_age": max_age, "quote": quote, "ratio": ratio, **band}


def _checksummed(kind: str, value: Any) -> Any:
    if kind == "address":
        return to_checksum_address(value)
    return [to_checksum_address(each) for each in value] if kind == "address[]" else value
