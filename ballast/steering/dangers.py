"""Words and warnings for each function of an owner: its effect, and its dangers. One pure function for each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from eth_utils import keccak

from ballast.rule.calendar import least_length
from ballast.steering.in_force import Fields, InForce, row
from ballast.steering.words import ROLES, Context, became, changed, names, text
from ballast.units import DAY_S, WAD
from ballast.values import NO_ADDRESS, decimal, duration_text, fraction_text


@dataclass(frozen=True)
class Said:
    """Words for what a call does, and its warnings."""

    words: str
    warnings: tuple[str, ...] = ()


ROLE_NAMES = {bytes(32) if name == "DEFAULT_ADMIN_ROLE" else keccak(text=name): name for name in ROLES}
"""Names of the timelock's roles by their hash."""
_POWERS = {
    "PROPOSER_ROLE": "may schedule whatever the owner can do",
    "CANCELLER_ROLE": "may cancel whatever is scheduled",
    "EXECUTOR_ROLE": "may execute what is ready",
    "DEFAULT_ADMIN_ROLE": "may give and take the timelock's roles at once, without any delay",
}
_LOOSER_UP = ("first_tolerance", "last_tolerance", "batch_cap", "loss_budget", "max_step", "max_idle", "dust")
_LOOSER_DOWN = ("cool_off",)
_SHORTER = ("notice", "min_notice", "min_trading")


def explain(context: Context, contract: str, function: str, arguments: tuple[Any, ...]) -> Said | None:
    """Words for a call; None for a function without words of its own."""
    told = _TOLD.get((contract, function)) or _TOLD.get(("", function))
    return None if told is None else told(context, *arguments)


# Index token


def _fee(context: Context, fee: int) -> Said:
    now = _now(context, lambda n: n.streaming_fee)
    raised = now is None or fee > now
    warning = f"the holders pay {fraction_text(fee)} a year" + ("" if now is None else f", not {fraction_text(now)}")
    return Said(f"streaming_fee {became(context, 'fee', now, fee)}", (f"fee raised: {warning}",) if raised else ())


def _recipient(context: Context, recipient: str) -> Said:
    now = _now(context, lambda n: n.fee_recipient)
    return Said(
        f"fee_recipient {became(context, '', now, recipient)}",
        (f"another fee recipient: fee shares go to {context.name(recipient)} from then on",),
    )


def _cap(context: Context, shares: int) -> Said:
    now = _now(context, lambda n: n.supply_cap)
    if now is not None and shares > now:
        warning = "supply cap raised: more shares than holders were told may be minted"
    else:
        warning = "supply cap lowered: where the supply is above it nobody can mint; redeeming stays open"
    return Said(f"supply_cap {became(context, '', now, shares)} whole shares", (warning,))


def _moves_shares(context: Context, to: str, amount: int) -> Said:
    shown = f"{decimal(amount, 18)} shares of the timelock, {context.name(to)}"
    return Said(shown, ("moves or lends shares that the timelock holds",))


def _set_state(context: Context, token: str, until: int, written_off: bool) -> Said:
    shown = "written off" if written_off else f"suspended until {until}"
    return Said(
        f"{context.symbol(token)} {shown}",
        ("setState: the index token takes it from its rebalancer alone, it will revert; expected suspend or writeOff",),
    )


# Rebalancer


def _limits(context: Context, limits: Any, band: int) -> Said:
    new, old = {**row(limits), "band": band}, _now(context, lambda n: n.limits)
    loose = [name for name in _LOOSER_UP if name in new and (old is None or new[name] > old.get(name, 0))]
    loose += [name for name in _LOOSER_DOWN if name in new and (old is None or new[name] < old.get(name, 0))]
    warnings = [f"limits looser: {', '.join(loose)}; trading may cost the holders more"] if loose and old else []
    if old is not None and band > old["band"]:
        warnings.append(f"band raised: a period is skipped while the weights drift by less than {fraction_text(band)}")
    if old is None:
        warnings = ["limits set: what they were is not known here; compare them with the fund's file"]
    return Said(changed(context, old, new), tuple(warnings))


def _timetable(context: Context, timetable: Any) -> Said:
    new, old = row(timetable), _now(context, lambda n: n.timetable)
    new.pop("first")  # the contract sets it
    shorter = [name for name in _SHORTER if old is not None and name in new and new[name] < old.get(name, 0)]
    warnings = [f"timetable shorter: {', '.join(shorter)}; holders have less time to leave"] if shorter else []
    if old is not None and least_length(new["length"]) < least_length(old["length"]):
        warnings.append("periods shorter: loss budget and step count for each of them")
    return Said(changed(context, old, new), tuple(warnings))


def _methodology(context: Context, methodology: str) -> Said:
    now = _now(context, lambda n: n.methodology)
    warnings = ["another methodology: it decides what the fund holds", *_code(context, methodology)]
    owner = context.owners.get(methodology)
    if owner is not None and owner != context.book["timelock"]:
        warnings.append(f"{methodology} is owned by {context.name(owner)}, who can change it without any delay")
    return Said(f"methodology {became(context, '', now, methodology)}", tuple(warnings))


def _guardian(context: Context, guardian: str) -> Said:
    now = _now(context, lambda n: n.guardian)
    warning = f"another guardian: {context.name(guardian)} alone can veto, pause and suspend at once"
    if guardian == NO_ADDRESS:
        warning = "no guardian: nobody can veto, pause or suspend at once"
    return Said(f"guardian {became(context, '', now, guardian)}", (warning,))


def _suspend(context: Context, token: str) -> Said:
    shown = f"{context.symbol(token)} suspended until the owner resumes it"
    return Said(shown, ("nobody can mint while a component is suspended",))


def _resume(context: Context, token: str) -> Said:
    shown = f"{context.symbol(token)} no longer suspended"
    return Said(shown, ("mint and redeem rely again on what the token says of itself",))


def _write_off(context: Context, token: str) -> Said:
    shown = f"{context.symbol(token)} written off, for good"
    return Said(shown, (f"write-off: what {context.symbol(token)} is worth after that is nobody's",))


# Methodologies


def _candidates(context: Context, rows: Iterable[Any]) -> Said:
    new = {item["token"]: item for item in map(row, rows)}
    old = _now(context, lambda n: n.candidates) or {}
    parts, warnings = [], []
    for token, item in new.items():
        symbol, given = context.symbol(token), {name: v for name, v in item.items() if name != "token"}
        before = {name: value for name, value in old[token].items() if name != "token"} if token in old else None
        if before == given:
            continue
        parts.append(f"{symbol} {'' if before else 'comes in: '}{changed(context, before, given)}")
        if before is None and old:
            warnings.append(f"a candidate comes in: {symbol} ({token})")
        if before is None or before["source"] != given["source"]:
            warnings += _source(context, symbol, given["source"])
        if given["whole_tokens"] and (before is None or before["whole_tokens"] != given["whole_tokens"]):
            warnings.append(f"{symbol}: the owner vouches for a supply of {given['whole_tokens']:,} whole tokens")
        if _now(context, lambda n: n.feeds) is not None and token not in context.in_force.feeds:  # type: ignore[union-attr]
            warnings.append(f"{symbol} has no feed in force: a first feed has nothing to agree with")
    parts += [f"{context.symbol(token)} is no candidate any more" for token in old if token not in new]
    warnings += [f"{context.symbol(token)} will be sold, as no candidate any more" for token in old if token not in new]
    return Said("; ".join(parts) or "nothing becomes different", tuple(warnings))


def _source(context: Context, symbol: str, source: str) -> list[str]:
    if source in (context.book.contracts.get(name) for name in ("posted_supply", "locked_supply")):
        return []
    return [f"{symbol}: its supply comes from {source}, no source of the fund", *_code(context, source)]


def _override(context: Context, token: str, whole_tokens: int) -> Said:
    symbol, now = context.symbol(token), _now(context, lambda n: n.confirmed.get(token))
    apart = "" if not now else f", {_apart(whole_tokens, now)} from what the last started month confirmed"
    return Said(
        f"supply of {symbol} {became(context, '', now or None, whole_tokens)} whole tokens for 10 days",
        (f"override: counts at once and without the bound on jumps{apart}",),
    )


def _weights(context: Context, rows: Iterable[Any]) -> Said:
    new = {item.token: item.weight for item in rows}
    old = _now(context, lambda n: n.weights)
    symbols = {token: context.symbol(token) for token in {**(old or {}), **new}}
    parts, warnings = [], []
    for token, weight in new.items():
        before = None if old is None else old.get(token, 0)
        if weight != before:
            parts.append(f"{symbols[token]} {became(context, 'weight', before, weight)}")
        if before == 0:
            warnings.append(f"a component comes in: {symbols[token]} ({token})")
    parts += [f"{symbols[token]} leaves" for token in old or {} if token not in new]
    return Said("; ".join(parts) or "nothing becomes different", tuple(warnings))


# Supplies


def _post(context: Context, rows: Iterable[Any]) -> Said:
    parts, warnings = [], []
    posted = _now(context, lambda n: n.posted) or {}
    for item in rows:
        symbol, now = context.symbol(item.token), posted.get(item.token)
        before = now[0] if now and now[0] else None
        parts.append(f"supply of {symbol} {became(context, '', before, item.wholeTokens)} whole tokens")
        if before is None:
            warnings.append(f"{symbol}: a first supply has nothing to be held against")
        elif abs(item.wholeTokens - before) * 4 > before:
            warnings.append(f"{symbol}: the supply is {_apart(item.wholeTokens, before)} from what was posted before")
    return Said("; ".join(parts) or "nothing is posted", tuple(warnings))


def _lockers(context: Context, token: str, lockers: list[str]) -> Said:
    now = _now(context, lambda n: n.lockers.get(token))
    symbol = context.symbol(token)
    shown = f"lockers of {symbol}: {names(context, lockers)}"
    if now is not None:
        shown += f" (now: {names(context, now)})"
    return Said(shown, (f"{symbol}: another supply counts as soon as this is executed",))


def _poster(context: Context, poster: str) -> Said:
    if poster == NO_ADDRESS:
        return Said("poster nobody")
    now = _now(context, lambda n: n.poster)
    known = None if now in (None, NO_ADDRESS) else now
    warning = f"another poster: {context.name(poster)} posts supplies without the delay, within the bound"
    return Said(f"poster {became(context, '', known, poster)}", (warning,))


# Oracles


def _set_feed(context: Context, feed: Any) -> Said:
    return _feed(context, feed, "")


def _correct_feed(context: Context, feed: Any) -> Said:
    return _feed(context, feed, "a correction: the new feed need not agree with the old one, only lie in its own band")


def _feed(context: Context, feed: Any, first: str) -> Said:
    new = {name: value for name, value in row(feed).items() if name != "token"}
    token, symbol = feed.token, context.symbol(feed.token)
    feeds = _now(context, lambda n: n.feeds)
    old = None if feeds is None else feeds.get(token)
    warnings = [first] if first else []
    if feeds is None or (old is not None and old["feed"] != new["feed"]):
        warnings.append(f"feed of {symbol} replaced: {_whose(context, new['feed'])}{_says(context, feed)}")
    elif old is None:
        warnings.append(
            f"first feed of {symbol}, which has nothing to agree with: {_whose(context, new['feed'])}"
            f"{_says(context, feed)}"
        )
    if not new["highest"]:
        warnings.append(f"{symbol}: without a band only the absurd is left out")
    elif old is not None and (new["lowest"], new["highest"]) != (old["lowest"], old["highest"]):
        warnings.append(f"band of {symbol} replaced: {_band(old)} -> {_band(new)}")
    if old is not None and new["max_age"] > old["max_age"]:
        warnings.append(f"{symbol}: an answer counts for {duration_text(new['max_age'])}, longer than before")
    if new["max_age"] > DAY_S + DAY_S // 4:
        warnings.append(f"{symbol}: no feed of Chainlink's has a heartbeat of more than a day")
    shown = changed(context, old, new)
    return Said(f"feed of {symbol}: {shown}", tuple(warnings))


def _whose(context: Context, feed: str) -> str:
    if feed in context.known:
        return f"{feed} ({context.known[feed]})"
    return f"{feed}, which the fund's file does not name" if context.known else feed


def _says(context: Context, feed: Any) -> str:
    """Text: the feed's current answer, compared with the price in force."""
    if feed.feed not in context.answers:
        return ""
    answer = context.answers[feed.feed]
    if answer is None:
        return "; it gives no answer"
    shown = f"; it says {decimal(answer, 18)} {'ETH' if feed.quote == 1 else 'USD'}"
    prices = _now(context, lambda n: n.prices) or {}
    ether = prices.get(NO_ADDRESS, 0) if feed.quote == 1 else WAD
    now, then = prices.get(feed.token, 0), answer * ether // WAD
    if not now or not then:
        return shown
    return f"{shown}, {_apart(then, now)} from the price in force, {decimal(now, 18)} USD"


def _band(feed: Fields) -> str:
    return f"{decimal(feed['lowest'], 18)} to {decimal(feed['highest'], 18)}" if feed["highest"] else "none"


def _anchor(context: Context, listing: Any) -> Said:
    new = {name: value for name, value in row(listing).items() if name != "token"}
    symbol, anchors = context.symbol(listing.token), _now(context, lambda n: n.anchors)
    old = None if anchors is None else anchors.get(listing.token)
    if listing.pool == NO_ADDRESS:
        return Said(f"anchor of {symbol} removed", (f"{symbol}: its feed alone counts in a batch",))
    pool = f"{listing.pool} ({context.known[listing.pool]})" if listing.pool in context.known else listing.pool
    return Said(f"anchor of {symbol}: {changed(context, old, new)}", (f"{symbol}: prices are pulled by pool {pool}",))


# Upkeep


def _withdraw(context: Context, token: str, to: str, amount: int) -> Said:
    what = "shares" if token == context.book["index_token"] else f"wei of {context.symbol(token)}"
    shown = decimal(amount, 18) if what == "shares" else f"{amount:,}"
    return Said(f"{shown} {what} to {context.name(to)}", ("takes from the upkeep's purse",))


# Timelock


def _grant(context: Context, role: bytes, account: str) -> Said:
    name = ROLE_NAMES.get(role, "0x" + role.hex())
    who = "anyone" if account == NO_ADDRESS else context.name(account)
    return Said(f"{name} to {who}", (f"role granted: {who} {_POWERS.get(name, 'gets a role that is not known')}",))


def _revoke(context: Context, role: bytes, account: str) -> Said:
    name = ROLE_NAMES.get(role, "0x" + role.hex())
    who = "anyone" if account == NO_ADDRESS else context.name(account)
    holders = _now(context, lambda n: n.roles.get(name, frozenset()))
    warnings = [f"role taken: {who} no longer {_POWERS.get(name, 'has it')}"]
    if holders is not None and not holders - {account}:
        warnings.append(f"nobody is left with {name}")
    return Said(f"{name} from {who}", tuple(warnings))


def _delay(context: Context, delay: int) -> Said:
    now = _now(context, lambda n: n.min_delay)
    lowered = now is None or delay < now
    warning = f"delay lowered: holders have {duration_text(delay)} to leave before a change"
    return Said(f"timelock_delay {became(context, 'delay', now, delay)}", (warning,) if lowered else ())


def _cancel(context: Context, operation: bytes) -> Said:
    return Said(f"operation {text(context, '', operation)}", ("cancels another operation",))


# All


def _transfer_ownership(context: Context, owner: str) -> Said:
    return Said(
        f"to {context.name(owner)}, once that accepts it",
        (f"ownership handed over: {context.name(owner)} owns the contract, without the timelock's delay",),
    )


def _code(context: Context, address: str) -> list[str]:
    """Warnings about the code of a contract on which the fund would rely."""
    if address not in context.codes:
        return [f"the code of {address} was not looked at"]
    kind = context.codes[address]
    return [] if kind else [f"{address} has none of this project's code: a stranger's contract"]


def _apart(new: int, old: int) -> str:
    """Text: difference between two values, as a percentage of the old one, rounded down."""
    share = abs(new - old) * 10**4 // old
    return f"{share // 100}.{share % 100:02d} %"


def _now(context: Context, read: Callable[[InForce], Any]) -> Any:
    return None if context.in_force is None else read(context.in_force)


_TOLD: Mapping[tuple[str, str], Callable[..., Said]] = {
    ("IndexToken", "setStreamingFee"): _fee,
    ("IndexToken", "setFeeRecipient"): _recipient,
    ("IndexToken", "setSupplyCap"): _cap,
    ("IndexToken", "transfer"): _moves_shares,
    ("IndexToken", "approve"): _moves_shares,
    ("IndexToken", "setState"): _set_state,
    ("Rebalancer", "setLimits"): _limits,
    ("Rebalancer", "setTimetable"): _timetable,
    ("Rebalancer", "setMethodology"): _methodology,
    ("Rebalancer", "setGuardian"): _guardian,
    ("Rebalancer", "suspend"): _suspend,
    ("Rebalancer", "resume"): _resume,
    ("Rebalancer", "writeOff"): _write_off,
    ("Rebalancer", "veto"): lambda _: Said("the determined period passes", ("nothing is traded in that period",)),
    ("Rebalancer", "endMonth"): lambda _: Said("the open month ends as it stands", ("what is not traded stays so",)),
    ("Rebalancer", "unpause"): lambda _: Said("trading goes on", ("a pause of the guardian's ends",)),
    ("MarketCap", "setCandidates"): _candidates,
    ("MarketCap", "overrideSupply"): _override,
    ("FixedWeight", "setWeights"): _weights,
    ("PostedSupply", "post"): _post,
    ("PostedSupply", "setPoster"): _poster,
    ("LockedSupply", "setLockers"): _lockers,
    ("ChainlinkOracle", "setFeed"): _set_feed,
    ("ChainlinkOracle", "correctFeed"): _correct_feed,
    ("AnchoredOracle", "setAnchor"): _anchor,
    ("Upkeep", "withdraw"): _withdraw,
    ("Timelock", "grantRole"): _grant,
    ("Timelock", "revokeRole"): _revoke,
    ("Timelock", "updateDelay"): _delay,
    ("Timelock", "cancel"): _cancel,
    ("", "transferOwnership"): _transfer_ownership,
}
"""By contract and function; "" means any contract."""
