"""Compares a month's determination on the chain with the same rule computed in Python.

It reads all inputs at the end of the determination's block, and of the start's: a change by another transaction in the
same block would show as a difference. USD, prices, weights have 18 decimals, supplies are whole tokens, units token wei
per 1e18 shares, times Unix seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from eth_abi import decode
from eth_abi.exceptions import DecodingError
from eth_utils import to_checksum_address
from web3.exceptions import ContractLogicError
from web3.types import TxParams

from ballast.abi import call_data
from ballast.rule import calendar, packed
from ballast.rule.methodology import (
    Candidate,
    Cap,
    Decision,
    Flag,
    HeldComponent,
    Override,
    Rule,
    State,
    Status,
    Supply,
    address_number,
    left_by,
)
from ballast.rule.packed import PackedTarget
from ballast.units import DAY_S, WAD
from keeper.errors import ChainError
from keeper.explain.recompute import (
    Difference,
    RuleInputs,
    Start,
    Target,
    apart,
    check,
    confirm,
    determine,
    divisor,
    nav_at,
    nav_shared,
    start_apart,
)
from keeper.look import contracts
from keeper.look.fund_reader import FundReader, ask
from keeper.look.history import CHUNK
from keeper.look.retry import block_time
from keeper.state import FundState, Holding, Phase, Side

OVERRIDE_LIFE_S = 10 * DAY_S
"""Longest life of an override in the methodology."""
MAX_DECIMALS = 27
SOUND_BITS = 160
"""Most decimals, and bits of the balance, of a token that the list of components accepts."""

T = TypeVar("T")


@dataclass(frozen=True)
class Explanation:
    """A determination, its start or skip, and where the keeper's own computation differs.

    `rule`: None if weights are given. `nav`: the value that the weights distribute: NAV of one share less frozen
    components. `sources`: the contract of each supply. `decisions`: a row for each of the `candidates`, and one for
    each component that is not a candidate. `skipped`: if start found the fund within its band, the difference and the
    band, shares of NAV.
    """

    period: int
    label: str
    block: int
    time: int
    methodology: str
    rule: Rule | None
    nav: int
    divisor: int
    decisions: tuple[Decision, ...]
    candidates: frozenset[str]
    sources: Mapping[str, str]
    start: Start | None
    skipped: tuple[int, int] | None
    differences: tuple[Difference, ...]


def explain(chain: FundReader, period: str | None) -> Explanation:
    """The last determination of the period ("2021-04", see `calendar.id_of`; None: the last one determined). Raises
    ChainError."""
    return _Reader(chain).explain(period)


class _Reader:
    def __init__(self, chain: FundReader) -> None:
        self._chain = chain
        self._w3 = chain.w3
        self._book = chain.book
        self._rebalancer = self._at("Rebalancer", chain.book["rebalancer"])

    def explain(self, period: str | None) -> Explanation:
        head = self._chain.head().number
        now, _ = self._chain.read(head)
        if not now.month_period:
            raise ChainError("explain: nothing has been determined yet")
        try:
            wanted = now.month_period if period is None else calendar.id_of(period, now.timetable, now.former)
        except ValueError as error:
            raise ChainError(f"explain: period {period!r}, {error}") from None
        determined, started, skipped = self._events(wanted, now, head)
        block = determined["blockNumber"]
        at = str(self._view(self._rebalancer, "methodology", block))
        inputs = self._inputs(at, block)
        decisions = tuple(map(packed.decision, determined["args"]["constituents"]))
        previous = self._previous(block)
        stored = self._view(self._at("FundLens", self._book["lens"]), "constituents", block, self._rebalancer.address)
        differences = [
            *apart("stored", decisions, [packed.decision(c._asdict()) for c in stored]),
            *check(lambda: apart("determination", decisions, determine(inputs, previous)), "determination"),
        ]
        nav = nav_shared(inputs, decisions)
        start = None
        if started is not None:
            start, found = self._start(started, at, decisions)
            differences += found
        return Explanation(
            period=wanted,
            label=inputs.state.label_of(wanted),
            block=block,
            time=inputs.state.time,
            methodology=at,
            rule=inputs.rule,
            nav=nav,
            divisor=divisor(inputs, ((d.basis, d.price) for d in decisions if d.status is Status.INCLUDED), nav),
            decisions=decisions,
            candidates=frozenset({*inputs.sources, *inputs.weights}),
            sources=inputs.sources,
            start=start,
            skipped=None if skipped is None else (skipped["args"]["difference"], skipped["args"]["band"]),
            differences=tuple(differences),
        )

    def _previous(self, block: int) -> list[Decision]:
        """What the last started month left, as the contract passes it to a determination in that block."""
        before = self._view(self._rebalancer, "month", block - 1)
        started = Phase(before.phase) in (Phase.IDLE, Phase.TRADING)
        return left_by(packed.constituents(_words(self._code(before.determination, block))), started=started)

    def _start(self, event: Any, at: str, determined: Sequence[Decision]) -> tuple[Start, list[Difference]]:
        """What start fixed, and where the keeper's own computation differs."""
        block = event["blockNumber"]
        inputs = self._inputs(at, block, determined)
        pointer = self._view(self._rebalancer, "month", block).determination
        confirmed = packed.constituents(_words(self._code(pointer, block)))
        fixed = packed.targets(self._code(event["args"]["targets"], block))
        bases = event["args"]["basis"] or [_basis(h.token, t, confirmed) for h, t in _pairs(inputs, fixed)]
        targets = tuple(
            Target(
                token=h.token,
                side=Side(t.side),
                unit=t.unit,
                price=inputs.prices.get(h.token, 0) if t.price else 0,
                kept=t.price,
                basis=word % 2**88,
                flags=Flag(word >> 88),
                unit_held=h.unit,
            )
            for (h, t), word in zip(_pairs(inputs, fixed), bases, strict=True)
        )
        nav = int(event["args"]["nav"])
        priced = nav_at(inputs, targets)
        start = Start(
            block=block,
            time=inputs.state.time,
            nav=nav,
            divisor=divisor(inputs, ((t.basis, t.price) for t in targets), priced),
            targets=targets,
            confirmed=tuple(confirmed),
            changed=tuple(now.token for now, then in zip(confirmed, determined, strict=True) if now != then),
        )
        return start, check(lambda: start_apart(start, inputs, confirm(inputs, determined)), "start")

    # Reading

    def _inputs(self, methodology: str, block: int, started: Sequence[Decision] = ()) -> RuleInputs:
        """The rule's inputs in a block. `started`: for a start's block, the determination."""
        state, _ = self._chain.read(block)
        before = self._chain.read(block - 1)[0].holdings if started else state.holdings
        listed, was = {h.token for h in state.holdings}, {h.token for h in before}
        dropped = [h for h in before if h.token not in listed]
        absent = [d.token for d in started if d.status is Status.INCLUDED and d.token not in listed | was]
        weighing, given = self._at("MarketCap", methodology), self._at("FixedWeight", methodology)
        rule = self._rule(weighing, block)
        rows = [] if rule is None else self._view(weighing, "candidates", block)
        weights = {w.token: w.weight for w in self._view(given, "weights", block)} if rule is None else {}
        sources = {c.token: c.source for c in rows}
        tokens = sorted({*sources, *weights, *listed, *was}, key=address_number)
        return RuleInputs(
            state=state,
            rule=rule,
            weights=weights,
            candidates=tuple(Candidate(c.token, State(c.state), c.wholeTokens) for c in rows),
            sources=sources,
            supplies={token: self._supply(source, token, block) for token, source in sources.items()},
            overrides={} if rule is None else self._overrides(weighing, block, state.time),
            prices=self._prices(tokens, block),
            holdings=tuple(_holding(state, h) for h in state.holdings),
            balances={h.token: h.balance for h in (*state.holdings, *dropped)},
            dropped=tuple(_holding(state, h) for h in dropped),
            newcomers=frozenset(listed - was),
            unfit=frozenset(token for token in absent if not self._fit(token, block)),
        )

    def _fit(self, token: str, block: int) -> bool:
        """Whether the list of components accepts a token."""
        index = self._book["index_token"]
        try:
            (decimals,) = self._read(block, token, "decimals()", ["uint256"])
            (balance,) = self._read(block, token, "balanceOf(address)", ["uint256"], index)
        except (ChainError, DecodingError):
            return False
        (gone,) = self._read(block, index, "writtenOff(address)", ["bool"], token)
        return decimals <= MAX_DECIMALS and balance >> SOUND_BITS == 0 and not (balance and gone)

    def _rule(self, contract: Any, block: int) -> Rule | None:
        """The rule of a market-cap methodology; None for a methodology without a rule, whose weights are given."""
        r = _unless_reverted(lambda: self._view(contract, "rule", block))
        return (
            None
            if r is None
            else Rule(
                cap=Cap(r.cap),
                cap_weight=r.capWeight,
                floor_weight=r.floorWeight,
                entry_weight=r.entryWeight,
                top_n=r.topN,
                floor_each=r.floorEach,
                max_supply_age=r.maxSupplyAge,
                max_supply_jump=r.maxSupplyJump,
                cap_passes=r.capPasses,
            )
        )

    def _supply(self, source: str, token: str, block: int) -> Supply | None:
        """A source's supply; None if it fails."""
        try:
            answer = _unless_reverted(
                lambda: self._read(block, source, "supply(address)", ["uint256", "uint256"], token)
            )
        except DecodingError:
            return None
        return None if answer is None else Supply(*answer)

    def _prices(self, tokens: Sequence[str], block: int) -> dict[str, int]:
        (prices,) = self._read(block, self._book["oracle"], "prices(address[])", ["uint256[]"], tokens)
        return {token: price for token, price in zip(tokens, prices, strict=True) if price}

    def _overrides(self, contract: Any, block: int, now: int) -> dict[str, Override]:
        """The owner's overrides of supplies that may still count: each token's last."""
        found: dict[str, Override] = {}
        for first, last in self._backwards(block):
            events = ask(
                lambda span=(first, last): contract.events.SupplyOverridden().get_logs(  # type: ignore[misc]
                    from_block=span[0], to_block=span[1]
                ),
                "events of the methodology",
            )
            for event in reversed(events):
                args = event["args"]
                found.setdefault(args["token"], Override(args["wholeTokens"], args["until"]))
            if block_time(self._w3, first) + OVERRIDE_LIFE_S < now:
                break
        return found

    def _events(self, period: int, now: FundState, head: int) -> tuple[Any, Any | None, Any | None]:
        """Events of the period: its last determination, its start and its skip, None if it has none. `now`: the state
        at the head."""
        begins = _begin(period, now)
        started: Any | None = None
        skipped: Any | None = None
        for first, last in self._backwards(head):
            found: dict[str, Any] = {}
            for name in ("Determined", "Started", "Skipped"):
                event = self._rebalancer.events[name]
                logs = ask(
                    lambda event=event, span=(first, last): event().get_logs(  # type: ignore[misc]
                        argument_filters={"period": period}, from_block=span[0], to_block=span[1]
                    ),
                    "events of the month",
                )
                if logs:
                    found[name] = logs[-1]
            started, skipped = started or found.get("Started"), skipped or found.get("Skipped")
            if "Determined" in found:
                return found["Determined"], started, skipped
            if begins is not None and block_time(self._w3, first) < begins:
                break
        raise ChainError(f"explain: period {now.label_of(period)} has not been determined")

    def _backwards(self, last: int) -> list[tuple[int, int]]:
        """Spans of blocks from `last` back to the deployment."""
        first = self._book.deployed_block
        return [(max(first, end - CHUNK + 1), end) for end in range(last, first - 1, -CHUNK)]

    def _code(self, pointer: str, block: int) -> bytes:
        """A contract's code after its first byte; empty for the zero address."""
        at = to_checksum_address(pointer)
        return bytes(ask(lambda: self._w3.eth.get_code(at, block_identifier=block), f"code of {pointer}"))[1:]

    def _read(self, block: int, to: str, signature: str, returns: Sequence[str], *args: Any) -> tuple[Any, ...]:
        """The answer of a view. Raises DecodingError if it does not have these types, ChainError."""
        call: TxParams = {"to": to_checksum_address(to), "data": call_data(signature, *args)}
        return decode(returns, bytes(ask(lambda: self._w3.eth.call(call, block_identifier=block), signature)))

    def _view(self, contract: Any, name: str, block: int, *args: Any) -> Any:
        return ask(lambda: contract.functions[name](*args).call(block_identifier=block), f"{name} in block {block}")

    def _at(self, name: str, address: str) -> Any:
        return self._w3.eth.contract(address=to_checksum_address(address), abi=contracts.abi(name), decode_tuples=True)


def _begin(period: int, now: FundState) -> int | None:
    """When a period began; None for a period of a timetable that the fund no longer has."""
    oldest = now.former or now.timetable
    return calendar.period(period, now.timetable, now.former).start if period >= oldest.first else None


def _unless_reverted(question: Callable[[], T]) -> T | None:
    """The answer; None if the contract reverts. Raises ChainError if there is none."""
    try:
        return question()
    except ChainError as error:
        if isinstance(error.__cause__, ContractLogicError):
            return None
        raise


def _words(code: bytes) -> list[int]:
    return [int.from_bytes(code[i : i + 32], "big") for i in range(0, len(code), 32)]


def _pairs(inputs: RuleInputs, fixed: Sequence[PackedTarget]) -> list[tuple[HeldComponent, PackedTarget]]:
    return list(zip(inputs.holdings, fixed, strict=True))


def _holding(state: FundState, holding: Holding) -> HeldComponent:
    """A component as the rule's input."""
    return HeldComponent(
        token=holding.token,
        unit=holding.balance * WAD // state.supply,
        decimals=holding.decimals,
        suspended=state.suspended(holding),
        written_off=holding.written_off,
        sound=holding.sound,
    )


def _basis(token: str, target: PackedTarget, confirmed: Sequence[Decision]) -> int:
    """Basis and flags of a target, encoded as in the event, if the event has none: start read no component again."""
    for d in confirmed:
        if d.token == token and d.status is Status.INCLUDED and target.price:
            return int(d.flags) << 88 | d.basis
    return 0
