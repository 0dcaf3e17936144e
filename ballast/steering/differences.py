"""Compares a fund's file (the wish) with the chain (the state), and finds the timelock's calls that align the chain.

Differences that one function sets share a call: the limits are one call, however many of them differ.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ballast.abi import encode_call
from ballast.deployment.creation import anchor_rows, candidate_rows, feed_rows, sequencer_of
from ballast.fund_file import FundConfig
from ballast.steering import owner_abi
from ballast.steering.dangers import ROLE_NAMES
from ballast.steering.in_force import Fields, InForce
from ballast.steering.operations import TimelockCall
from ballast.steering.words import Context, became, field_name, names, text
from ballast.values import DEPLOYER, NO_ADDRESS

FEED_FIELDS = ("feed", "max_age", "quote", "ratio", "lowest", "highest")
ANCHOR_FIELDS = ("pool", "window", "bound")
CANDIDATE_FIELDS = ("source", "state", "whole_tokens")
ANOTHER = "deploy another methodology (govern methodology) and have the timelock set it (act methodology)"


@dataclass(frozen=True)
class FieldDifference:
    """A field of the file that differs from the chain. `field`: its path in the file; `words`: "now -> wished"; `call`:
    the call that makes the chain match, None if none can; then `remedy`: what to do instead."""

    field: str
    words: str
    call: TimelockCall | None
    remedy: str = ""


@dataclass(frozen=True)
class Wish:
    """A fund's file, to compare with what is in force. `deployer`: account that the file's "deployer" means; `correct`:
    tokens whose feed is wrong and is replaced by `correctFeed`; `now`: time of the block, the date for posted
    supplies."""

    config: FundConfig
    context: Context
    state: InForce
    deployer: str
    now: int
    correct: Collection[str] = ()

    def who(self, role: str) -> str:
        """The account of a role."""
        return self.deployer if role == DEPLOYER else role

    def call(self, where: str, contract: str, function: str, *arguments: Any) -> TimelockCall:
        """A call of the timelock to a contract of the book."""
        target = self.state.methodology if where == "methodology" else self.context.book[where]
        return TimelockCall(target, 0, encode_call(owner_abi.function(contract, function), *arguments))

    def rows(self, path: str, old: Fields | None, new: Fields, call: TimelockCall | None) -> Iterator[FieldDifference]:
        """A difference per field of a struct; a single one for a struct that is new."""
        if old is None:
            shown = ", ".join(f"{_path_name(name)} {text(self.context, name, value)}" for name, value in new.items())
            yield FieldDifference(path, f"none -> {shown}", call)
            return
        for name, value in new.items():
            if value != old[name]:
                yield FieldDifference(f"{path}.{_path_name(name)}", became(self.context, name, old[name], value), call)

    def one(
        self, path: str, name: str, old: Any, new: Any, call: TimelockCall | None, remedy: str = ""
    ) -> Iterator[FieldDifference]:
        """The difference of one value, if there is one. `name`: field name that determines its unit."""
        if old != new:
            yield FieldDifference(path, became(self.context, name, old, new), call, remedy)


def differences(wish: Wish) -> tuple[FieldDifference, ...]:
    """All differences, in an order in which their calls can be made."""
    parts: tuple[Callable[[Wish], Iterator[FieldDifference]], ...] = (
        _feeds,
        _anchors,
        _supplies,
        _poster,
        _constituents,
        _rebalancer,
        _index,
        _fixed,
        _timelock,
    )
    return tuple(difference for part in parts for difference in part(wish))


def calls_of(found: Iterable[FieldDifference]) -> tuple[TimelockCall, ...]:
    """The calls that make the chain match, without duplicates."""
    return tuple(dict.fromkeys(one.call for one in found if one.call is not None))


def _path_name(name: str) -> str:
    """Name of a struct's field in the file; the field `feed` is called `address` there."""
    return "address" if name == "feed" else field_name(name)


def _named(wish: Wish, token: str) -> str:
    """The path of a component in the file."""
    symbols = {component.token: component.symbol for component in wish.config.components}
    return f"components ({symbols.get(token) or wish.context.symbol(token)})"


def _feeds(wish: Wish) -> Iterator[FieldDifference]:
    where = "first_oracle" if "first_oracle" in wish.context.book.contracts else "oracle"
    for listed in feed_rows(wish.config):
        token, new = listed[0], dict(zip(FEED_FIELDS, listed[1:], strict=True))
        old = wish.state.feeds.get(token)
        if new != old:
            function = "correctFeed" if token in wish.correct else "setFeed"
            call = wish.call(where, "ChainlinkOracle", function, listed)
            path = "eth_feed" if token == NO_ADDRESS else f"{_named(wish, token)}.feed"
            yield from wish.rows(path, old, new, call)


def _anchors(wish: Wish) -> Iterator[FieldDifference]:
    wanted = {listed[0]: listed for listed in anchor_rows(wish.config)}
    anchored = "first_oracle" in wish.context.book.contracts
    for token, listed in wanted.items():
        new, old = dict(zip(ANCHOR_FIELDS, listed[1:], strict=True)), wish.state.anchors.get(token)
        if new != old and not anchored:
            words = f"none -> {text(wish.context, '', new['pool'])}"
            yield FieldDifference(f"{_named(wish, token)}.anchor", words, None, "the fund was deployed without anchors")
        elif new != old:
            call = wish.call("oracle", "AnchoredOracle", "setAnchor", listed)
            yield from wish.rows(f"{_named(wish, token)}.anchor", old, new, call)
    for token, old in wish.state.anchors.items():
        if token not in wanted:
            call = wish.call("oracle", "AnchoredOracle", "setAnchor", (token, NO_ADDRESS, 0, 0))
            yield FieldDifference(
                f"{_named(wish, token)}.anchor", f"{text(wish.context, '', old['pool'])} -> none", call
            )


def _supplies(wish: Wish) -> Iterator[FieldDifference]:
    """Differences of lockers, and of supplies in the file that are neither the candidate's given nor its posted one. A
    supply posted since the deployment is no difference: the file has those of the start."""
    if wish.state.rule is None or wish.config.methodology.kind != "market_cap":
        return
    for component in wish.config.constituents():
        token, path = component.token, _named(wish, component.token)
        if component.lockers is not None:
            lockers = tuple(sorted(component.lockers, key=lambda locker: int(locker, 16)))
            now = wish.state.lockers.get(token, ())
            # The source reads its decimals when the lockers are set: a newcomer needs the call even without lockers.
            if lockers != now or token not in wish.state.candidates:
                call = wish.call("locked_supply", "LockedSupply", "setLockers", token, lockers)
                shown = (names(wish.context, each) for each in (now, lockers))
                yield FieldDifference(f"{path}.lockers", " -> ".join(shown), call)
        elif component.supply is not None:
            before = wish.state.candidates.get(token, {}).get("whole_tokens")
            posted = wish.state.posted.get(token, (0, 0))[0]
            if component.supply not in (before, posted):
                call = wish.call("posted_supply", "PostedSupply", "post", [(token, component.supply, wish.now)])
                words = became(wish.context, "", posted or None, component.supply)
                yield FieldDifference(f"{path}.supply", f"{words} whole tokens", call)


def _poster(wish: Wish) -> Iterator[FieldDifference]:
    if wish.state.poster is None:
        return
    named = wish.config.roles.poster
    poster = NO_ADDRESS if named is None else wish.who(named)
    call = wish.call("posted_supply", "PostedSupply", "setPoster", poster)
    if poster != wish.state.poster:
        words = (f"{'nobody' if at == NO_ADDRESS else wish.context.name(at)}" for at in (wish.state.poster, poster))
        yield FieldDifference("roles.poster", " -> ".join(words), call)


def _constituents(wish: Wish) -> Iterator[FieldDifference]:
    kind = "fixed_weight" if wish.state.rule is None else "market_cap"
    wanted = "market_cap" if wish.config.methodology.kind == "market_cap" else "fixed_weight"
    if kind != wanted:
        yield FieldDifference("methodology.kind", f"{kind} -> {wanted}", None, ANOTHER)
    elif wanted == "market_cap":
        yield from _candidates(wish)
    else:
        tokens = [component.token for component in wish.config.constituents()]
        new = dict(zip(tokens, wish.config.weights(), strict=True))
        call = wish.call("methodology", "FixedWeight", "setWeights", list(new.items()))
        for token in dict.fromkeys((*new, *wish.state.weights)):
            old = wish.state.weights.get(token, 0)
            yield from wish.one(f"{_named(wish, token)}.weight", "weight", old, new.get(token, 0), call)


def _candidates(wish: Wish) -> Iterator[FieldDifference]:
    listed = candidate_rows(wish.config, wish.context.book.contracts)
    new = {item[0]: dict(zip(CANDIDATE_FIELDS, item[1:], strict=True)) for item in listed}
    call = wish.call("methodology", "MarketCap", "setCandidates", listed)
    for token, candidate in new.items():
        yield from wish.rows(_named(wish, token), wish.state.candidates.get(token), candidate, call)
    for token in wish.state.candidates:
        if token not in new:
            yield FieldDifference(_named(wish, token), "candidate -> none", call)


def _rebalancer(wish: Wish) -> Iterator[FieldDifference]:
    state, config = wish.state, wish.config
    limits = config.limits.as_tuple()
    call = wish.call("rebalancer", "Rebalancer", "setLimits", limits, config.limits.band)
    new = dict(zip(state.limits, (*limits, config.limits.band), strict=True))
    yield from wish.rows("limits", state.limits, new, call)
    timetable = config.timetable.as_tuple()
    call = wish.call("rebalancer", "Rebalancer", "setTimetable", timetable)
    new = dict(zip(state.timetable, timetable, strict=True))
    # The contract sets `begins` if the file does not, and always the id.
    said = {name: state.timetable[name] for name in ("begins", "first") if not new[name]}
    yield from wish.rows("timetable", state.timetable, {**new, **said}, call)
    guardian = wish.who(config.roles.guardian)
    call = wish.call("rebalancer", "Rebalancer", "setGuardian", guardian)
    yield from wish.one("roles.guardian", "", state.guardian, guardian, call)


def _index(wish: Wish) -> Iterator[FieldDifference]:
    state, config = wish.state, wish.config
    yield from _recipient(wish)
    for path, function, old, new in (
        ("streaming_fee", "setStreamingFee", state.streaming_fee, config.streaming_fee),
        ("supply_cap", "setSupplyCap", state.supply_cap, config.supply_cap),
    ):
        yield from wish.one(path, path, old, new, wish.call("index_token", "IndexToken", function, new))


def _recipient(wish: Wish) -> Iterator[FieldDifference]:
    """Differences of the fee's recipient: the fee split if a part is for the upkeep, else the account in the file."""
    recipient, part, split = wish.who(wish.config.roles.fee_recipient), wish.config.upkeep.part, wish.state.split
    if part and split is not None:
        remedy = "a fee split is fixed: deploy another one and name it as the fee recipient"
        yield from wish.one("upkeep.part", "fee", split[1], part, None, remedy)
        yield from wish.one("roles.fee_recipient", "", split[0], recipient, None, remedy)
        recipient = wish.context.book["fee_split"]
    elif part:
        words = became(wish.context, "fee", 0, part)
        yield FieldDifference("upkeep.part", words, None, "the fund was deployed without a fee split: deploy one")
    call = wish.call("index_token", "IndexToken", "setFeeRecipient", recipient)
    yield from wish.one("roles.fee_recipient", "", wish.state.fee_recipient, recipient, call)


def _fixed(wish: Wish) -> Iterator[FieldDifference]:
    """Differences of values that no call can change."""
    config = wish.config
    sequencer, grace = sequencer_of(config)
    wanted: dict[str, Any] = {
        "name": config.name,
        "symbol": config.symbol,
        "sequencer.address": sequencer,
        "sequencer.grace": grace,
        "block_time": config.block_time,
        "uniswap_v3_factory": config.uniswap_v3_factory or wish.state.fixed.get("uniswap_v3_factory"),
    }
    if wish.state.rule is not None and config.methodology.kind == "market_cap":
        rule = zip(wish.state.rule, config.methodology.as_tuple(), strict=True)
        wanted |= {f"methodology.{name}": value for name, value in rule}
    terms = [path for path in wish.state.fixed if path.startswith("upkeep.")]
    wanted |= dict(zip(terms, config.upkeep.as_tuple(), strict=False))
    for path, value in wanted.items():
        if path in wish.state.fixed:
            remedy = ANOTHER if path.startswith("methodology.") else "fixed at the deployment, so correct the file"
            yield from wish.one(path, path.rpartition(".")[2], wish.state.fixed[path], value, None, remedy)


def _timelock(wish: Wish) -> Iterator[FieldDifference]:
    state, timelock = wish.state, wish.context.book["timelock"]
    proposers = frozenset(map(wish.who, wish.config.roles.proposers))
    wanted: Mapping[str, frozenset[str]] = {
        "PROPOSER_ROLE": proposers,
        "CANCELLER_ROLE": proposers,
        "EXECUTOR_ROLE": frozenset({NO_ADDRESS}),
        "DEFAULT_ADMIN_ROLE": frozenset({timelock}),
    }
    digests = {name: digest for digest, name in ROLE_NAMES.items()}
    for role, holders in wanted.items():
        now = state.roles.get(role, frozenset())
        path = "roles.proposers" if holders is proposers else f"timelock.{role}"
        for account in sorted(holders - now):
            call = wish.call("timelock", "Timelock", "grantRole", digests[role], account)
            yield FieldDifference(path, f"{role}: none -> {_holder(wish, account)}", call)
        for account in sorted(now - holders):
            call = wish.call("timelock", "Timelock", "revokeRole", digests[role], account)
            yield FieldDifference(path, f"{role}: {_holder(wish, account)} -> none", call)
    for name, owner in state.owners.items():
        remedy = f"only {owner} can hand it back, in two steps"
        yield from wish.one(f"owner of {name}", "", owner, timelock, None, remedy)
    call = wish.call("timelock", "Timelock", "updateDelay", wish.config.timelock_delay)
    yield from wish.one("timelock_delay", "timelock_delay", state.min_delay, wish.config.timelock_delay, call)


def _holder(wish: Wish, account: str) -> str:
    return "anyone" if account == NO_ADDRESS else wish.context.name(account)
