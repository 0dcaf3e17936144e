"""The input of `supplies`: a list from a file or over HTTP, and each candidate's supply as recorded on the chain."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
from ape.exceptions import ContractLogicError, DecodingError
from eth_utils import to_checksum_address
from web3 import Web3

from ballast.abi import call_view, selector
from ballast.cli import Deployed
from ballast.fund_file import FundError
from ballast.rule import packed
from ballast.supplies import PostedEntry, Standing, Terms
from keeper.look.lens import read_fund
from keeper.ops.server import is_loopback
from keeper.output.tables import when
from keeper.state import FundState, Phase

MAX_BYTES = 1_000_000
"""Bytes of a list: fifty lines are a few thousand."""
TIMEOUT_S = 10
"""Seconds for the connection, and for each read from it."""
WHOLE_S = 30
"""Seconds for the whole list."""
ADDRESSES = "expected https://..., or http:// on this machine"
WORDS = {
    "PostedBefore(address)": "the poster has posted it for the coming determination already",
    "MonthOpen()": "a month is determined or trading",
    "FirstSupply(address)": "none was posted yet, and its first supply is the timelock's to post",
    "NothingConfirmed(address)": "no started month has confirmed a supply: until then the timelock posts",
    "OlderSupply(address,uint256,uint256)": "older than the one that stands",
}
"""Errors of the contract that a list may cause."""


@dataclass(frozen=True)
class Fund:
    """A fund whose supplies are posted: its state, the poster, the bounds, and each candidate's recorded supply."""

    on: Deployed
    state: FundState
    supplies: str
    poster: str
    terms: Terms
    standings: Mapping[str, Standing]

    def closed(self) -> str:
        """Why the poster may not post now; "" where it may."""
        state = self.state
        if state.phase is Phase.TRADING:
            return "a month is trading: the poster posts when it has ended"
        if state.phase is Phase.DETERMINED and state.month_period == state.period:
            return "a month is determined: the poster posts when it has ended, was vetoed, or its period is over"
        return ""

    def due(self) -> str:
        """When the next determination comes, as text."""
        at = self.terms.determination
        return "now" if at <= self.terms.now else when(at)


def text_of(source: str) -> str:
    """The list's text, from a file or an address; https, or http on this machine. Raises FundError."""
    raw = _fetched(source) if "://" in source else _file(Path(source))
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        raise FundError(f"from: {source} is no text in UTF-8, expected CSV or JSON") from None


def read(project: Any, on: Deployed) -> Fund:
    """Reads the fund with all that supplies are checked against. Raises FundError where no poster can post."""
    book, w3 = on.book, on.w3
    supplies = book.contracts.get("posted_supply")
    if supplies is None:
        raise FundError(f"supplies: the address book of {book.fund!r} names no posted_supply; its weights need none")
    poster = call_view(w3, supplies, "poster()", ["address"])
    if poster is None:
        raise FundError(f"supplies: {supplies} knows no poster, as of an older release; the timelock posts")
    rebalancer = project.Rebalancer.at(book["rebalancer"])
    methodology = project.MarketCap.at(rebalancer.methodology())
    try:
        rule, candidates = methodology.rule(), methodology.candidates()
    except (ContractLogicError, DecodingError):
        raise FundError("supplies: the fund's methodology has no bounds for supplies; no poster can post") from None
    state = read_fund(w3, book)
    known = _confirmed(w3, rebalancer.month().determination, state.phase is Phase.IDLE)
    standings = {str(row.token): _standing(w3, row, supplies, known) for row in candidates}
    terms = Terms(state.time, state.next_determination, rule.maxSupplyAge, rule.maxSupplyJump)
    return Fund(on, state, supplies, to_checksum_address(poster[0]), terms, standings)


def candidates_of(fund: Fund, entries: Sequence[PostedEntry]) -> tuple[str, ...]:
    """The token of each entry. Raises FundError for one that is no candidate, and for one that occurs twice."""
    tokens = tuple(_token(fund, entry.token) for entry in entries)
    for place, token in enumerate(tokens):
        if token in tokens[:place]:
            raise FundError(f"supplies: {fund.on.book.symbol(token)} stands there twice, expected each once")
    return tokens


def _token(fund: Fund, name: str) -> str:
    for token in fund.standings:
        if name == fund.on.book.symbol(token) or name.lower() == token.lower():
            return token
    known = ", ".join(fund.on.book.symbol(token) for token in fund.standings)
    raise FundError(f"supplies: {name!r} is no candidate, the fund has {known}; leave it out")


def _confirmed(w3: Web3, pointer: str, started: bool) -> dict[str, int]:
    """What the last started month confirmed, by token. `started`: the determination is that month's own."""
    code = bytes(w3.eth.get_code(to_checksum_address(pointer)))[1:]
    words = [int.from_bytes(code[at : at + 32], "big") for at in range(0, len(code), 32)]
    return {row.token: row.basis if started else row.confirmed for row in packed.constituents(words)}


def _standing(w3: Web3, candidate: Any, supplies: str, confirmed: Mapping[str, int]) -> Standing:
    token, source = str(candidate.token), str(candidate.source)
    supply, date = call_view(w3, source, "supply(address)", ["uint256", "uint256"], token) or (0, 0)
    total, decimals = (call_view(w3, token, view, ["uint256"]) for view in ("totalSupply()", "decimals()"))
    whole = total[0] // 10 ** min(decimals[0], 77) if total and decimals else None
    return Standing(source == supplies, supply, date, confirmed.get(token, 0), whole)


def _file(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise FundError(f"from: {path} cannot be read ({error.strerror}), expected a file or an address") from None
    return _bounded(raw, str(path))


def _fetched(url: str) -> bytes:
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        raise FundError(f"from: is no address, {ADDRESSES}") from None
    if not host or not (parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host))):
        raise FundError(f"from: found {_shown(url)}, {ADDRESSES}")
    # The machine's clock only limits the wait; a server that trickles must not hold it for ever.
    end, raw = time.monotonic() + WHOLE_S, b""
    try:
        with requests.get(url, stream=True, timeout=TIMEOUT_S, allow_redirects=False) as answer:
            if answer.status_code != requests.codes.ok:
                raise FundError(f"from: {_shown(url)} answers {answer.status_code}, expected 200 and no redirection")
            for part in answer.iter_content(16_384):
                raw += part
                if time.monotonic() > end:
                    raise FundError(f"from: {_shown(url)} takes more than {WHOLE_S} s; save it and name the file")
                if len(raw) > MAX_BYTES:
                    break
    except requests.RequestException as error:
        raise FundError(f"from: {_shown(url)} does not answer ({type(error).__name__})") from None
    return _bounded(raw, _shown(url))


def _bounded(raw: bytes, where: str) -> bytes:
    if len(raw) > MAX_BYTES:
        raise FundError(f"from: {where} is longer than {MAX_BYTES:,} bytes, expected a list of supplies")
    return raw


def _shown(url: str) -> str:
    """An address without what may be a secret: account and query."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def why(error: Exception) -> str:
    """Why a post would be refused, as text."""
    data = getattr(error, "data", None)
    words = {"0x" + selector(signature).hex(): text for signature, text in WORDS.items()}
    shown = data[:10] if isinstance(data, str) and data else " ".join(str(error).split())
    return words.get(shown) or f"it would revert with {shown}"
